package peers;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Until SIGTERM, which waits for the end of what was begun. Whatever fails ends the process with 1. */
final class Stopping {

    interface Work {
        void run(Stopping stopping) throws Exception;
    }

    private static final int PATIENCE_S = 15;

    private final CompletableFuture<Void> asked = new CompletableFuture<>();
    private final CountDownLatch done = new CountDownLatch(1);

    boolean isAsked() {
        return asked.isDone();
    }

    /** Returns once it is to stop; raises what another thread failed by. */
    void await() {
        asked.join();
    }

    void fail(Throwable failure) {
        asked.completeExceptionally(failure);
    }

    static void run(Work work) {
        var stopping = new Stopping();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping.asked.complete(null);
            try {
                stopping.done.await(PATIENCE_S, TimeUnit.SECONDS);
            } catch (InterruptedException over) {
                Thread.currentThread().interrupt();
            }
        }));
        try {
            work.run(stopping);
        } catch (Throwable failure) {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1); // the hook would wait for this thread
        }
        stopping.done.countDown();
    }
}
