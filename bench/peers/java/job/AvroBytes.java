package peers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/**
 * Bytes of records of one form, framed as Confluent does. Fields are written in the order of the schema by hand, since
 * generic records cost several times as much; so the first of each form is held against Avro's own writer.
 */
final class AvroBytes {

    interface Fields {
        void to(BinaryEncoder encoder) throws IOException;
    }

    /** Branches of a union of null and something else. */
    static final int NULL = 0;

    static final int SET = 1;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
    private final BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    private final Schema schema;
    private final byte[] prefix;
    private boolean isChecked;

    AvroBytes(Schema schema, int id) {
        this.schema = schema;
        prefix = prefix(id);
    }

    /** A zero, then the number that a registry gave the schema, most significant byte first. */
    static byte[] prefix(int id) {
        return new byte[] {0, (byte) (id >> 24), (byte) (id >> 16), (byte) (id >> 8), (byte) id};
    }

    byte[] of(Fields fields) throws IOException {
        bytes.reset();
        bytes.writeBytes(prefix);
        fields.to(encoder);
        encoder.flush();
        var record = bytes.toByteArray();
        if (!isChecked) {
            check(Arrays.copyOfRange(record, prefix.length, record.length));
            isChecked = true;
        }
        return record;
    }

    static void texts(BinaryEncoder to, List<byte[]> texts) throws IOException {
        to.writeArrayStart();
        to.setItemCount(texts.size());
        for (var text : texts) {
            to.startItem();
            to.writeBytes(text);
        }
        to.writeArrayEnd();
    }

    private void check(byte[] body) throws IOException {
        try {
            var decoder = DecoderFactory.get().binaryDecoder(body, null);
            var record = new GenericDatumReader<>(schema).read(null, decoder);
            var again = part(to -> new GenericDatumWriter<>(schema).write(record, to));
            if (decoder.isEnd() && Arrays.equals(body, again)) {
                return;
            }
        } catch (IOException | RuntimeException fault) {
            throw new IOException(schema.getName() + " has other fields than are written here", fault);
        }
        throw new IOException(schema.getName() + " has other fields than are written here");
    }

    /** Without a frame: of a part that many records have in common. */
    static byte[] part(Fields fields) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        fields.to(encoder);
        encoder.flush();
        return bytes.toByteArray();
    }
}
