package peers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * What is needed of a ResyncRequest that names keys; texts are UTF-8.
 *
 * <p>The request's status repeats it without its keys: `beforeKeys` and `afterKeys` are the bytes on both sides of its
 * selection, so that no other field need be decoded.
 */
record Request(
        byte[] id, byte[] district, byte[] object, byte[][] asked, long[] keys, byte[] beforeKeys, byte[] afterKeys) {

    /** The branch of the selection's union. */
    static final int KEYS = 0;

    String districtId() {
        return new String(district, UTF_8);
    }

    /** The keys of all, sorted, each once: neighbours share pages of the table and its index. */
    static long[] sortedKeys(List<Request> requests) {
        var sorted = requests.stream().flatMapToLong(request -> LongStream.of(request.keys)).sorted().toArray();
        var count = 0;
        for (var key : sorted) {
            if (count == 0 || key != sorted[count - 1]) {
                sorted[count++] = key;
            }
        }
        return Arrays.copyOf(sorted, count);
    }

    /** Reads requests of one schema, one after the other. */
    static final class Reader {
        private final byte[] prefix;
        private BinaryDecoder decoder;

        Reader(Config.Written schema) {
            prefix = AvroBytes.prefix(schema.id());
        }

        /** Raises NumberFormatException for a key that is no integer. */
        Request read(byte[] value) throws IOException {
            var start = prefix.length;
            if (value.length < start || !Arrays.equals(value, 0, start, prefix, 0, start)) {
                throw new IOException("a request of another schema than the configuration names");
            }
            decoder = DecoderFactory.get().binaryDecoder(value, start, value.length - start, decoder);
            var id = text();
            var district = text();
            var object = text();
            var before = Arrays.copyOfRange(value, start, value.length - decoder.inputStream().available());
            if (decoder.readIndex() != KEYS) {
                throw new IOException("a request that does not name its keys");
            }
            var asked = new ArrayList<byte[]>();
            for (var block = decoder.readArrayStart(); block > 0; block = decoder.arrayNext()) {
                for (var i = 0; i < block; i++) {
                    asked.add(text());
                }
            }
            var after = Arrays.copyOfRange(value, value.length - decoder.inputStream().available(), value.length);
            var keys = asked.stream().mapToLong(key -> Long.parseLong(new String(key, ISO_8859_1))).toArray();
            return new Request(id, district, object, asked.toArray(byte[][]::new), keys, before, after);
        }

        private byte[] text() throws IOException {
            return decoder.readBytes(null).array();
        }
    }
}
