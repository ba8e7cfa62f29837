// Prints, as JSON lines, what llama.cpp's samplers make of logits: the options, the logits, the tokens that were there, and the candidates that are left with their
// probabilities. README.md beside this file has the command.
#include "llama.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

// Of libllama, made for its own tests: breakers as tokens.
extern llama_sampler *llama_sampler_init_dry_testing(float multiplier, float base, int32_t allowed_length, int32_t last_n, const std::vector<std::vector<llama_token>> &breakers);

static uint64_t state = 42;

static uint32_t next_bits()
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(state >> 33);
}

static float uniform(float low, float high)
{
    return low + (high - low) * (float)(next_bits() % 1000003) / 1000003.0f;
}

static int below(int n)
{
    return (int)(next_bits() % (uint32_t)n);
}

struct options {
    float temperature = 1, range = 0, exponent = 1, sigma = 0, typical = 1, top_p = 1, min_p = 0, xtc_threshold = 1;
    int top_k = 0;
    int last_n = 0;
    float repeat = 1, frequency = 0, presence = 0;
    float dry_multiplier = 0, dry_base = 1.75f;
    int dry_allowed = 2, dry_last_n = 0;
    float tau = -1, eta = 0.1f;
    std::vector<std::vector<llama_token>> breakers;
    std::vector<llama_logit_bias> biases;
};

struct text {
    std::vector<float> logits;
    std::vector<llama_token> tokens;
};

static text random_text(int vocabulary, int length, int different)
{
    text result;
    for (int i = 0; i < vocabulary; i++) {
        // Sums of uniform numbers are near a normal distribution.
        result.logits.push_back(uniform(-2, 2) + uniform(-2, 2) + uniform(-2, 2));
    }
    for (int i = 0; i < length; i++) {
        result.tokens.push_back(below(different));
    }
    return result;
}

static void print_list(const char *name, const std::vector<float> &values)
{
    printf(", \"%s\": [", name);
    for (size_t i = 0; i < values.size(); i++) {
        printf(i == 0 ? "%.9g" : ", %.9g", values[i]);
    }
    printf("]");
}

static void print_ids(const char *name, const std::vector<llama_token> &values)
{
    printf(", \"%s\": [", name);
    for (size_t i = 0; i < values.size(); i++) {
        printf(i == 0 ? "%d" : ", %d", values[i]);
    }
    printf("]");
}

static void print_options(const std::string &name, const options &o)
{
    printf("{\"name\": \"%s\", \"temperature\": %.9g, \"range\": %.9g, \"exponent\": %.9g, \"sigma\": %.9g, \"top_k\": %d, \"typical\": %.9g, \"top_p\": %.9g, \"min_p\": %.9g, "
           "\"xtc_threshold\": %.9g, \"repeat\": %.9g, \"last_n\": %d, \"frequency\": %.9g, \"presence\": %.9g, \"dry_multiplier\": %.9g, \"dry_base\": %.9g, \"dry_allowed\": %d, "
           "\"dry_last_n\": %d, \"tau\": %.9g, \"eta\": %.9g, \"breakers\": [",
        name.c_str(), o.temperature, o.range, o.exponent, o.sigma, o.top_k, o.typical, o.top_p, o.min_p, o.xtc_threshold, o.repeat, o.last_n, o.frequency, o.presence,
        o.dry_multiplier, o.dry_base, o.dry_allowed, o.dry_last_n, o.tau, o.eta);
    for (size_t i = 0; i < o.breakers.size(); i++) {
        printf(i == 0 ? "[" : ", [");
        for (size_t j = 0; j < o.breakers[i].size(); j++) {
            printf(j == 0 ? "%d" : ", %d", o.breakers[i][j]);
        }
        printf("]");
    }
    printf("], \"biases\": [");
    for (size_t i = 0; i < o.biases.size(); i++) {
        printf(i == 0 ? "[%d, %.9g]" : ", [%d, %.9g]", o.biases[i].token, o.biases[i].bias);
    }
    printf("]");
}

static llama_sampler *chain_of(const options &o, int vocabulary)
{
    llama_sampler *chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
    if (!o.biases.empty()) {
        llama_sampler_chain_add(chain, llama_sampler_init_logit_bias(vocabulary, (int)o.biases.size(), o.biases.data()));
    }
    llama_sampler_chain_add(chain, llama_sampler_init_penalties(vocabulary, o.last_n, o.repeat, o.frequency, o.presence));
    if (o.dry_multiplier > 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_dry_testing(o.dry_multiplier, o.dry_base, o.dry_allowed, o.dry_last_n, o.breakers));
    }
    if (o.tau >= 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_temp(o.temperature));
        llama_sampler_chain_add(chain, llama_sampler_init_mirostat_v2(7, o.tau, o.eta));
        return chain;
    }
    llama_sampler_chain_add(chain, llama_sampler_init_top_n_sigma(o.sigma));
    llama_sampler_chain_add(chain, llama_sampler_init_top_k(o.top_k));
    llama_sampler_chain_add(chain, llama_sampler_init_typical(o.typical, 0));
    llama_sampler_chain_add(chain, llama_sampler_init_top_p(o.top_p, 0));
    llama_sampler_chain_add(chain, llama_sampler_init_min_p(o.min_p, 0));
    llama_sampler_chain_add(chain, llama_sampler_init_xtc(o.xtc_threshold <= 0.5f ? 1.0f : 0.0f, o.xtc_threshold, 0, 7));
    llama_sampler_chain_add(chain, llama_sampler_init_temp_ext(o.temperature, o.range, o.exponent));
    llama_sampler_chain_add(chain, llama_sampler_init_dist(7));
    return chain;
}

static void print_case(const std::string &name, const options &o, const text &t, int rounds)
{
    int vocabulary = (int)t.logits.size();
    llama_sampler *chain = chain_of(o, vocabulary);
    for (llama_token token : t.tokens) {
        llama_sampler_accept(chain, token);
    }
    print_options(name, o);
    print_list("logits", t.logits);
    print_ids("tokens", t.tokens);
    printf(", \"rounds\": [");
    for (int round = 0; round < rounds; round++) {
        std::vector<llama_token_data> data;
        for (int id = 0; id < vocabulary; id++) {
            data.push_back({id, t.logits[id], 0});
        }
        llama_token_data_array array = {data.data(), data.size(), -1, false};
        llama_sampler_apply(chain, &array);
        llama_token selected = array.data[array.selected].id;
        std::vector<llama_token> ids;
        std::vector<float> probabilities;
        for (size_t i = 0; i < array.size; i++) {
            if (array.data[i].p > 0) {
                ids.push_back(array.data[i].id);
                probabilities.push_back(array.data[i].p);
            }
        }
        printf(round == 0 ? "{\"selected\": %d" : ", {\"selected\": %d", selected);
        print_ids("ids", ids);
        print_list("p", probabilities);
        printf("}");
        llama_sampler_accept(chain, selected);
    }
    printf("]}\n");
    llama_sampler_free(chain);
}

int main()
{
    for (int i = 0; i < 3; i++) {
        text t = random_text(40, 30 + 20 * i, 8 + 8 * i);
        int all = (int)t.tokens.size();
        options o;
        print_case("plain", o, t, 1);
        o.temperature = 0.3f;
        print_case("temperature 0.3", o, t, 1);
        o.temperature = 0;
        print_case("greedy", o, t, 1);
        o = options();
        o.range = 0.5f;
        print_case("dynamic temperature", o, t, 1);
        o.exponent = 2.5f;
        o.temperature = 0.2f;
        print_case("dynamic temperature from 0", o, t, 1);
        o = options();
        o.top_k = 7;
        print_case("top-k", o, t, 1);
        o = options();
        o.top_p = 0.8f;
        print_case("top-p", o, t, 1);
        o = options();
        o.min_p = 0.1f;
        print_case("min-p", o, t, 1);
        o = options();
        o.typical = 0.6f;
        print_case("typical", o, t, 1);
        o.temperature = 0;
        print_case("the best of the typical", o, t, 1);
        o = options();
        o.sigma = 1.2f;
        print_case("top-n-sigma", o, t, 1);
        o = options();
        o.xtc_threshold = 0.08f;
        print_case("xtc", o, t, 1);
        o = options();
        o.repeat = 1.3f;
        o.last_n = all;
        print_case("repetition penalty", o, t, 3);
        o.last_n = 9;
        print_case("repetition penalty, window", o, t, 3);
        o.frequency = 0.4f;
        o.presence = -0.3f;
        print_case("all penalties, window", o, t, 3);
        o.temperature = 0;
        print_case("all penalties, greedy", o, t, 6);
        o = options();
        o.frequency = 0.25f;
        o.presence = 0.75f;
        o.last_n = all;
        print_case("frequency and presence", o, t, 3);
        o = options();
        o.dry_multiplier = 0.8f;
        o.dry_last_n = all;
        o.dry_allowed = 1;
        print_case("dry", o, t, 3);
        o.breakers = {{3}, {1, 2}};
        print_case("dry, breakers", o, t, 3);
        o.dry_last_n = 12;
        o.dry_base = 1.2f;
        print_case("dry, window", o, t, 3);
        o = options();
        o.biases = {{3, 2.5f}, {5, -1e30f}, {0, -1}};
        print_case("logit bias", o, t, 1);
        o = options();
        o.tau = 2;
        print_case("mirostat", o, t, 12);
        o.tau = 3.5f;
        o.eta = 0.5f;
        o.temperature = 1.5f;
        print_case("mirostat, temperature", o, t, 12);
        o = options();
        o.biases = {{1, 0.5f}};
        o.repeat = 1.1f;
        o.last_n = 20;
        o.frequency = 0.1f;
        o.presence = 0.1f;
        o.dry_multiplier = 0.5f;
        o.dry_last_n = 25;
        o.dry_allowed = 1;
        o.breakers = {{2}};
        // All that top-k leaves are within these: llama.cpp's typical-p takes no candidates of minus infinity.
        o.sigma = 3.5f;
        o.top_k = 20;
        o.typical = 0.95f;
        o.top_p = 0.9f;
        o.min_p = 0.02f;
        o.xtc_threshold = 0.3f;
        o.temperature = 0.8f;
        o.range = 0.3f;
        print_case("all together", o, t, 1);
    }
    return 0;
}
