package peers;

import static java.util.concurrent.CompletableFuture.completedFuture;
import static java.util.stream.Collectors.groupingBy;

import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;

/** All districts asked at the same time, each by connections and threads of its own. */
final class Districts implements AutoCloseable {
    private final Map<String, Lookups> lookups = new HashMap<>();

    Districts(Config config) throws SQLException {
        for (var district : config.districts()) {
            lookups.put(district.id(), new Lookups(district, config));
        }
    }

    /** By district, keys whose rows have to be looked at. A district that is not known is a failure of the answer. */
    CompletableFuture<Map<String, long[]>> suspects(List<Request> requests) {
        var asked = requests.stream().collect(groupingBy(Request::districtId));
        return completedFuture(asked)
                .thenCompose(parts -> each(parts, (of, some) -> of.suspects(Request.sortedKeys(some))));
    }

    /** By district and key. */
    CompletableFuture<Map<String, Map<Long, Decision>>> decide(Map<String, long[]> suspects) {
        return each(suspects, Lookups::decide);
    }

    private <Q, A> CompletableFuture<Map<String, A>> each(
            Map<String, Q> questions, BiFunction<Lookups, Q, CompletableFuture<A>> ask) {
        var asked = new HashMap<String, CompletableFuture<A>>();
        questions.forEach((district, question) -> asked.put(district, ask.apply(of(district), question)));
        return CompletableFuture.allOf(asked.values().toArray(CompletableFuture<?>[]::new)).thenApply(done -> {
            var answers = new HashMap<String, A>();
            asked.forEach((district, answer) -> answers.put(district, answer.join()));
            return answers;
        });
    }

    private Lookups of(String district) {
        var found = lookups.get(district);
        if (found == null) {
            throw new IllegalArgumentException(district + ": a district that the configuration does not name");
        }
        return found;
    }

    @Override
    public void close() throws SQLException {
        for (var each : lookups.values()) {
            each.close();
        }
    }
}
