package peers;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/** Names a correction by what it corrects (RFC 9562, version 5), so that the same one has the same id. */
final class CorrectionId {
    private static final UUID SPACE = UUID.fromString("5f2b6c1e-7d0a-5c52-9a53-0d1f4ab0c0de");
    private static final byte[] FIRST_ATTEMPT = {'1'};
    private static final byte SEPARATOR = 0x1f;

    private final MessageDigest sha1;
    private final byte[] space = ByteBuffer.allocate(16)
            .putLong(SPACE.getMostSignificantBits())
            .putLong(SPACE.getLeastSignificantBits())
            .array();

    CorrectionId() {
        try {
            sha1 = MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException(missing); // every runtime has it
        }
    }

    byte[] of(Request request, byte[] key) {
        sha1.update(space);
        for (var part : new byte[][] {request.id(), request.district(), request.object(), key}) {
            sha1.update(part);
            sha1.update(SEPARATOR);
        }
        var hash = ByteBuffer.wrap(sha1.digest(FIRST_ATTEMPT));
        var high = hash.getLong() & ~0xf000L | 0x5000L;
        var low = hash.getLong() & ~(0b11L << 62) | 0b10L << 62;
        return new UUID(high, low).toString().getBytes(US_ASCII);
    }
}
