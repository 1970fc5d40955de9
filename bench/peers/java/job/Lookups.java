package peers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Both sides of a district asked at the same time: a connection and a thread each. */
final class Lookups implements AutoCloseable {
    private final List<byte[]> names;
    private final Side district;
    private final Side state;
    private final ExecutorService districts = thread("district");
    private final ExecutorService states = thread("state");

    Lookups(Config.District asked, Config config) throws SQLException {
        names = config.fieldNames().stream().map(name -> name.getBytes(UTF_8)).toList();
        district = new Side(asked.table(), asked.id(), config);
        state = new Side(config.state(), asked.id(), config);
    }

    /** Keys whose rows have to be looked at; sorted as they were. */
    CompletableFuture<long[]> suspects(long[] keys) {
        var ours = ask(districts, () -> district.digests(keys));
        var theirs = ask(states, () -> state.digests(keys));
        return ours.thenCombine(theirs, (one, other) -> Decision.suspects(keys, one, other));
    }

    CompletableFuture<Map<Long, Decision>> decide(long[] suspects) {
        if (suspects.length == 0) {
            return CompletableFuture.completedFuture(Map.of());
        }
        var ours = ask(districts, () -> district.rows(suspects));
        var theirs = ask(states, () -> state.rows(suspects));
        return ours.thenCombine(theirs, (one, other) -> Decision.of(suspects, one, other, names));
    }

    private static <T> CompletableFuture<T> ask(ExecutorService thread, Callable<T> question) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return question.call();
                    } catch (Exception failure) {
                        throw new CompletionException(failure);
                    }
                },
                thread);
    }

    private static ExecutorService thread(String name) {
        return Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name(name).factory());
    }

    @Override
    public void close() throws SQLException {
        districts.shutdownNow();
        states.shutdownNow();
        district.close();
        state.close();
    }
}
