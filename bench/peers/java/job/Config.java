package peers;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.avro.Schema;

/** What `bench/peers/task.py` writes: where everything is, and which columns are compared. */
record Config(
        String bootstrap,
        String group,
        String transactionalId,
        int transactionKeys,
        Topics topics,
        Schemas schemas,
        List<District> districts,
        Table state,
        String digest,
        List<Field> fields) {

    record Topics(String requests, String corrections, String history) {}

    record Schemas(Written request, Written status, Written outcome, Written correction) {}

    /** A schema and the number that a registry gave it. */
    record Written(int id, String text) {
        Schema parse() {
            return new Schema.Parser().parse(text);
        }
    }

    record District(String id, Table table) {}

    /** `districtColumn` is null where all rows are the district's. */
    record Table(String jdbc, String name, String key, String districtColumn) {}

    /** A field of the correction's schema, and the column that both sides have it in. */
    record Field(String name, String column) {}

    List<String> fieldNames() {
        return fields.stream().map(Field::name).toList();
    }

    static Config read(String file) throws IOException {
        return new ObjectMapper()
                .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .readValue(Path.of(file).toFile(), Config.class);
    }
}
