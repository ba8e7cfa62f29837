package dev.yangtuo.eval;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.checkpoint.Quoted;
import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Names and categories of subjects: those of C-Eval's 52, and what a {@code subject_mapping.json} says. */
final class CevalNames {
    /** The subjects of C-Eval Hard (Huang et al., arXiv 2305.08322, section 2.4). */
    static final Set<String> HARD = Set.of("advanced_mathematics", "discrete_mathematics", "probability_and_statistics", "college_chemistry",
            "college_physics", "high_school_mathematics", "high_school_chemistry", "high_school_physics");

    /** C-Eval's subjects: file name, Chinese name, category. */
    private static final String SUBJECTS = """
            computer_network;计算机网络;STEM
            operating_system;操作系统;STEM
            computer_architecture;计算机组成;STEM
            college_programming;大学编程;STEM
            college_physics;大学物理;STEM
            college_chemistry;大学化学;STEM
            advanced_mathematics;高等数学;STEM
            probability_and_statistics;概率统计;STEM
            discrete_mathematics;离散数学;STEM
            electrical_engineer;注册电气工程师;STEM
            metrology_engineer;注册计量师;STEM
            high_school_mathematics;高中数学;STEM
            high_school_physics;高中物理;STEM
            high_school_chemistry;高中化学;STEM
            high_school_biology;高中生物;STEM
            middle_school_mathematics;初中数学;STEM
            middle_school_biology;初中生物;STEM
            middle_school_physics;初中物理;STEM
            middle_school_chemistry;初中化学;STEM
            veterinary_medicine;兽医学;STEM
            college_economics;大学经济学;Social Science
            business_administration;工商管理;Social Science
            marxism;马克思主义基本原理;Social Science
            mao_zedong_thought;毛泽东思想和中国特色社会主义理论体系概论;Social Science
            education_science;教育学;Social Science
            teacher_qualification;教师资格;Social Science
            high_school_politics;高中政治;Social Science
            high_school_geography;高中地理;Social Science
            middle_school_politics;初中政治;Social Science
            middle_school_geography;初中地理;Social Science
            modern_chinese_history;近代史纲要;Humanities
            ideological_and_moral_cultivation;思想道德修养与法律基础;Humanities
            logic;逻辑学;Humanities
            law;法学;Humanities
            chinese_language_and_literature;中国语言文学;Humanities
            art_studies;艺术学;Humanities
            professional_tour_guide;导游资格;Humanities
            legal_professional;法律职业资格;Humanities
            high_school_chinese;高中语文;Humanities
            high_school_history;高中历史;Humanities
            middle_school_history;初中历史;Humanities
            civil_servant;公务员;Other
            sports_science;体育学;Other
            plant_protection;植物保护;Other
            basic_medicine;基础医学;Other
            clinical_medicine;临床医学;Other
            urban_and_rural_planner;注册城乡规划师;Other
            accountant;注册会计师;Other
            fire_engineer;注册消防工程师;Other
            environmental_impact_assessment_engineer;环境影响评价工程师;Other
            tax_accountant;税务师;Other
            physician;医师资格;Other
            """;

    /** The mapping of the 52 has five kilobytes. */
    private static final long MAX_BYTES = 1 << 20;

    private final Map<String, Subject> subjects = new HashMap<>();

    /**
     * What is known of a subject.
     *
     * @param name Chinese
     * @param category of it
     */
    record Subject(String name, CevalCategory category) {}

    /** C-Eval's. */
    CevalNames() {
        SUBJECTS.lines().forEach(line -> {
            String[] cells = line.split(";");
            subjects.put(cells[0], new Subject(cells[1], CevalCategory.of(cells[2])));
        });
    }

    /** What is known of a subject, or null. */
    @Nullable Subject of(String id) {
        return subjects.get(id);
    }

    /**
     * Adds what a file says, which counts before what was known: an object of arrays, English name, Chinese name, category, under the file names of subjects.
     *
     * @throws YangtuoException if it says something else
     */
    void read(Path mapping) {
        JsonNode root = parse(mapping);
        if (!root.isObject()) {
            throw new YangtuoException("%s: is no JSON object; expected {\"computer_network\":[\"Computer Network\",\"计算机网络\",\"STEM\"],..}".formatted(mapping));
        }
        root.properties().forEach(entry -> subjects.put(entry.getKey(), subject(mapping, entry.getKey(), entry.getValue())));
    }

    private static JsonNode parse(Path mapping) {
        try {
            return JsonMapper.builder().build().readTree(BoundedFile.text(mapping, MAX_BYTES));
        } catch (JacksonException e) {
            throw new YangtuoException("%s, line %d: is no JSON: %s".formatted(mapping, e.getLocation() == null ? 1 : e.getLocation().getLineNr(), e.getOriginalMessage()), e);
        }
    }

    private static Subject subject(Path mapping, String id, JsonNode names) {
        if (!names.isArray() || names.size() != 3 || !names.get(1).isTextual() || !names.get(2).isTextual() || names.get(1).textValue().isBlank()) {
            throw new YangtuoException("%s: %s is not an array of an English name, a Chinese name and a category".formatted(mapping, Quoted.text(id)));
        }
        try {
            return new Subject(names.get(1).textValue(), CevalCategory.of(names.get(2).textValue()));
        } catch (IllegalArgumentException e) {
            throw new YangtuoException("%s: %s: %s".formatted(mapping, Quoted.text(id), e.getMessage()), e);
        }
    }
}
