package peers;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What becomes of one key. All but the status is of `SENT` alone: values in the order of the fields, `before` of the
 * state's row, or null where there is none; names of the fields that differ; the district's row as it was read.
 */
record Decision(Status status, Object[] before, Object[] after, List<byte[]> changed, Side.Row district) {

    enum Status {
        NOT_FOUND,
        IN_SYNC,
        SENT,
        STATE_ONLY
    }

    /** Of every key whose digests are the same. */
    static final Decision IN_SYNC = ends(Status.IN_SYNC);
    private static final Decision NOT_FOUND = ends(Status.NOT_FOUND);
    private static final Decision STATE_ONLY = ends(Status.STATE_ONLY);

    /** The keys whose digests do not tell that their rows are equal. */
    static long[] suspects(long[] keys, Side.Digests district, Side.Digests state) {
        var suspects = new long[keys.length];
        var count = 0;
        for (var i = 0; i < keys.length; i++) {
            var isSame = district.found()[i] && state.found()[i] && district.values()[i] == state.values()[i];
            if (!isSame) {
                suspects[count++] = keys[i];
            }
        }
        return Arrays.copyOf(suspects, count);
    }

    /** By key; of rows that were read after their digests, so they may be equal by now. */
    static Map<Long, Decision> of(
            long[] suspects, Map<Long, Side.Row> district, Map<Long, Side.Row> state, List<byte[]> names) {
        var decisions = new HashMap<Long, Decision>(suspects.length * 2);
        for (var key : suspects) {
            decisions.put(key, of(district.get(key), state.get(key), names));
        }
        return decisions;
    }

    private static Decision of(Side.Row district, Side.Row state, List<byte[]> names) {
        if (district == null) {
            return state == null ? NOT_FOUND : STATE_ONLY;
        }
        if (state == null) {
            return new Decision(Status.SENT, null, district.values(), names, district);
        }
        var changed = new ArrayList<byte[]>();
        for (var i = 0; i < names.size(); i++) {
            if (!Objects.equals(district.values()[i], state.values()[i])) {
                changed.add(names.get(i));
            }
        }
        return changed.isEmpty()
                ? IN_SYNC
                : new Decision(Status.SENT, state.values(), district.values(), changed, district);
    }

    private static Decision ends(Status status) {
        return new Decision(status, null, null, List.of(), null);
    }
}
