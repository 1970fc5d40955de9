package peers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static peers.AvroBytes.NULL;
import static peers.AvroBytes.SET;

import java.io.IOException;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoField;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryEncoder;

/** Corrections of the object. */
final class CorrectionWriter {
    private static final byte[] FIRST_CHUNK = {'0'};

    private final AvroBytes creates;
    private final AvroBytes updates;
    private final int create;
    private final int update;
    private final int cause;
    private final int mode;
    private final int dependencies;
    private final int onStateOnly;
    /** For each field of the schema's values, where it is among those compared, or -1. */
    private final int[] places;

    CorrectionWriter(Config.Written correction, List<String> compared) {
        var schema = correction.parse();
        creates = new AvroBytes(schema, correction.id());
        updates = new AvroBytes(schema, correction.id());
        var op = schema.getField("op").schema();
        create = op.getEnumOrdinal("c");
        update = op.getEnumOrdinal("u");
        var source = schema.getField("source").schema();
        cause = symbol(source, "cause", "REQUEST");
        mode = symbol(source, "mode", "SYNC");
        dependencies = symbol(source, "dependencies", "NONE");
        onStateOnly = symbol(source, "on_state_only", "REPORT");
        var values = schema.getField("after").schema().getTypes().get(SET);
        places = values.getFields().stream().mapToInt(field -> compared.indexOf(field.name())).toArray();
    }

    byte[] correction(Request request, byte[] key, byte[] asked, Decision decision, byte[] id, long nowMicros)
            throws IOException {
        var isNew = decision.before() == null;
        return (isNew ? creates : updates).of(to -> {
            to.writeEnum(isNew ? create : update);
            values(to, decision.before());
            values(to, decision.after());
            to.writeIndex(NULL); // parent
            to.writeBytes(request.id());
            to.writeBytes(FIRST_CHUNK);
            to.writeBytes(id);
            to.writeBytes(request.district());
            to.writeBytes(request.object());
            to.writeBytes(key);
            to.writeIndex(SET);
            to.writeBytes(asked);
            to.writeLong(1); // attempt
            to.writeEnum(cause);
            to.writeEnum(mode);
            to.writeEnum(dependencies);
            to.writeEnum(onStateOnly);
            AvroBytes.texts(to, decision.changed());
            to.writeIndex(NULL); // parent
            to.writeLong(0); // epoch of the district's version
            to.writeLong(decision.district().xmax());
            to.writeLong(decision.district().inProgress());
            to.writeLong(nowMicros); // district_read_at
            to.writeLong(nowMicros); // state_read_at
            to.writeLong(nowMicros); // first_decided_at
            to.writeLong(nowMicros); // sent_at
            to.writeIndex(NULL); // requested_at
        });
    }

    private void values(BinaryEncoder to, Object[] values) throws IOException {
        if (values == null) {
            to.writeIndex(NULL);
            return;
        }
        to.writeIndex(SET);
        for (var place : places) {
            var value = place < 0 ? null : values[place];
            to.writeIndex(value == null ? NULL : SET);
            switch (value) {
                case null -> {}
                case String text -> to.writeBytes(text.getBytes(UTF_8));
                case Boolean flag -> to.writeBoolean(flag);
                case Long number -> to.writeLong(number);
                case LocalDate day -> to.writeInt((int) day.toEpochDay());
                case BigDecimal number -> to.writeBytes(number.unscaledValue().toByteArray());
                case OffsetDateTime moment -> to.writeLong(
                        moment.toEpochSecond() * 1_000_000 + moment.get(ChronoField.MICRO_OF_SECOND));
                default -> throw new IOException("no way to write a " + value.getClass().getName());
            }
        }
    }

    private static int symbol(Schema record, String field, String symbol) {
        return record.getField(field).schema().getEnumOrdinal(symbol);
    }
}
