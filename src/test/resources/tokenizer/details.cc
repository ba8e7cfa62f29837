// Writes what SentencePiece makes of texts, one JSON object a line: see README.md. Reads one text a line, "\n", "\0" and "\\" escaped.
//   g++ -O1 -o details details.cc -lsentencepiece && ./details MODEL < details.txt
#include <sentencepiece_processor.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

static std::string unescape(const std::string &line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      const char c = line[++i];
      text += c == 'n' ? '\n' : c == '0' ? '\0' : c;
    } else {
      text += line[i];
    }
  }
  return text;
}

static std::string quoted(const std::string &text) {
  std::string json = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
      json += buffer;
    } else {
      json += c;
    }
  }
  return json + "\"";
}

int main(int, char **argv) {
  sentencepiece::SentencePieceProcessor processor;
  if (!processor.Load(argv[1]).ok()) return 1;
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::string text = unescape(line);
    const auto encoded = processor.EncodeAsImmutableProto(text);
    std::cout << "{\"text\":" << quoted(text) << ",\"tokens\":[";
    for (size_t i = 0; i < encoded.pieces_size(); ++i) {
      const auto piece = encoded.pieces(i);
      std::cout << (i ? "," : "") << "[" << piece.id() << "," << quoted(piece.piece()) << "," << piece.begin() << "," << piece.end() << "]";
    }
    std::cout << "]";
    std::vector<std::vector<int>> nbest;
    if (processor.NBestEncode(text, 6, &nbest).ok()) {
      const auto scored = processor.NBestEncodeAsImmutableProto(text, 6);
      std::cout << ",\"nbest\":[";
      for (size_t i = 0; i < nbest.size(); ++i) {
        std::cout << (i ? "," : "") << "{\"score\":" << scored.nbests(i).score() << ",\"ids\":[";
        for (size_t j = 0; j < nbest[i].size(); ++j) std::cout << (j ? "," : "") << nbest[i][j];
        std::cout << "]}";
      }
      std::cout << "]";
    }
    std::cout << "}\n";
  }
  return 0;
}
