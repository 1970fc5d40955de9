"""Every metric's name, meaning, labels and roles, in one place; docs/metrics.md is written from it.

Label values are closed lists. A district is one only while the catalog has at most `MOST_DISTRICTS`; a key never is.
"""

from processor.core.chunk import Cause
from processor.core.correction import Op, Result
from processor.core.errors import Reason
from processor.core.history import OrderAction, RequestState, Status
from processor.core.order import Void
from processor.core.request import Mode
from processor.core.rights import Ground
from processor.metric_kinds import Declarations

PROCESS, APPLY, STORE, MONITOR = "process", "apply", "store", "monitor"
ROLES = (PROCESS, APPLY, STORE, MONITOR)
READERS = (PROCESS, APPLY, STORE)
TRANSACTORS = (PROCESS, APPLY)

MOST_DISTRICTS = 1_500

LANES = ("requests", "answers", "retry", "chunks", "corrections")
SIDES = ("district", "state")
TOPICS = ("requests", "chunks", "retry", "answers", "corrections", "history")
ABORTS = ("required", "patience", "refused", "unknown")

_STATES = (RequestState.ACCEPTED, RequestState.REJECTED, RequestState.HELD)
_QUICK_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LONG_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)

ALL = Declarations()
_counter, _histogram, _live = ALL.counter, ALL.histogram, ALL.live

BUILD = _live("resync_build_info", "Always 1; the release that runs.", ROLES, role=ROLES, version="a release")
CONFIG = _live(
    "resync_config_info",
    "Always 1; fingerprints of the catalog with its crosswalks and object schemas, of the policy (`none` without one),"
    " and of the settings without secrets. Processes of one deployment that read a file should agree on it.",
    ROLES,
    role=ROLES,
    catalog="12 hexadecimal digits",
    policy="12 hexadecimal digits",
    settings="12 hexadecimal digits",
)
READY = _live("resync_ready", "1 where every check of /readyz is passed.", ROLES)
POLL_AGE = _live("resync_poll_age_seconds", "Time since the role's loop last came round: the heartbeat.", ROLES)
ASSIGNED = _live("resync_assigned_partitions", "Partitions that the group gave to this process.", READERS)
CLIENT_REBALANCES = _live("resync_kafka_rebalances", "Rebalances that the consumer took part in.", READERS)
CLIENT_TIMEOUTS = _live("resync_kafka_timeouts", "Requests that no broker answered in time, since the start.", READERS)
CLIENT_QUEUED = _live("resync_kafka_fetched_messages", "Records fetched and not yet taken by the role.", READERS)

REQUESTS = _counter(
    "resync_requests_total",
    "Requests taken on, by result; REPEATED ones had been taken on before and do nothing new.",
    (PROCESS,),
    result=(*_STATES, "REPEATED"),
)
REJECTED = _counter("resync_rejected_requests_total", "Rejected requests, by reason.", (PROCESS,), reason=tuple(Reason))
NOT_AUTHORIZED = _counter(
    "resync_not_authorized_requests_total",
    "Requests refused by the policy, by what was not allowed; the log names the topic.",
    (PROCESS,),
    ground=tuple(ground for ground in Ground if ground is not Ground.RIGHT),
)
REPEATED_RECORDS = _counter(
    "resync_repeated_records_total", "Records whose work had been taken on before.", (PROCESS,), lane=LANES[:4]
)
REQUEST_WAIT = _histogram(
    "resync_request_wait_seconds",
    "From a request's requested_at to its acceptance or rejection.",
    (PROCESS,),
    _LONG_S,
)
OUTCOMES = _counter(
    "resync_key_outcomes_total", "Outcomes of keys written, by status.", (PROCESS,), status=tuple(Status)
)
FAILURES = _counter("resync_key_failures_total", "Keys that ended FAILED, by reason.", (PROCESS,), reason=tuple(Reason))
DEFERRED = _counter(
    "resync_deferred_keys_total", "Keys put off to be compared again, by reason.", (PROCESS,), reason=tuple(Reason)
)
KEY_AGE = _histogram(
    "resync_request_to_outcome_seconds",
    "Age of a key at its terminal outcome: since the request's requested_at, or its first decision where its publisher"
    " tells none.",
    (PROCESS,),
    _LONG_S,
)
CORRECTIONS = _counter(
    "resync_corrections_total",
    "Corrections sent to the state, by operation.",
    (PROCESS,),
    operation=tuple(op.name.lower() for op in Op),
)
RETRIES = _counter(
    "resync_retries_total", "Chunks sent round to be compared again, by cause.", (PROCESS,), cause=tuple(Cause)
)
SNAPSHOT_READ = _histogram(
    "resync_snapshot_read_seconds", "Time of one reading statement, by side.", (PROCESS,), _QUICK_S, side=SIDES
)
SNAPSHOT_FAILURES = _counter(
    "resync_snapshot_failures_total", "Reading statements that failed, by side.", (PROCESS,), side=SIDES
)
DISTRICT_UP = _live(
    "resync_district_up",
    "1 where the district's database answered when last asked, 0 where it did not. Of the districts that this process"
    f" owns; no series where the catalog has more than {MOST_DISTRICTS} districts.",
    (PROCESS,),
    district="the catalog's districts",
)
DISTRICTS_DOWN = _live("resync_districts_down", "Owned districts whose database did not answer.", (PROCESS,))
STATE_UP = _live("resync_state_up", "1 where the state's database answered when last asked.", TRANSACTORS)

TRANSACTIONS = _counter(
    "resync_transactions_total",
    "Kafka transactions, by how they ended.",
    TRANSACTORS,
    result=("committed", "aborted"),
)
ABORTED = _counter(
    "resync_transaction_aborts_total",
    "Aborted Kafka transactions: the broker required it, patience ran out, the broker refused a call, or an end that"
    " was unknown turned out to be none.",
    TRANSACTORS,
    reason=ABORTS,
)
COMMIT = _histogram(
    "resync_commit_seconds", "Time of a Kafka transaction from its beginning to its end.", TRANSACTORS, _QUICK_S
)
LAG_RECORDS = _live(
    "resync_lag_records", "Records not yet done with in this process's partitions.", TRANSACTORS, lane=LANES
)
LAG_SECONDS = _live(
    "resync_lag_seconds", "Age of the oldest record that waits in this process (since due).", TRANSACTORS, lane=LANES
)
DEAD_LETTERS = _counter(
    "resync_dead_letters_total", "Records set aside because they cannot be used.", TRANSACTORS, reason=tuple(Reason)
)
MISROUTED = _counter(
    "resync_misrouted_records_total",
    "Records found in another partition than their district's, and moved.",
    TRANSACTORS,
    lane=LANES,
)
ANSWERS = _counter("resync_answers_total", "Answers to corrections, by result.", (APPLY,), result=tuple(Result))
APPLIED = _histogram(
    "resync_apply_seconds", "Time of one batch of corrections in the state's database.", (APPLY,), _QUICK_S
)

STORED_RECORDS = _counter("resync_store_records_total", "History records stored.", (STORE,))
STORED_BATCHES = _counter(
    "resync_store_batches_total",
    "Batches of history: stored, or dropped because another process had moved the offsets.",
    (STORE,),
    result=("stored", "dropped"),
)
STORE_SKIPPED = _counter("resync_store_skipped_records_total", "Records of history that nobody of us wrote.", (STORE,))
STORE_SHARED_IDS = _counter(
    "resync_store_shared_request_ids_total",
    "Requests of a stored batch whose id another district's request has too: their history is mixed.",
    (STORE,),
)
STORE_ENDS = _counter("resync_store_ends_total", "Ends of requests announced on the history topic.", (STORE,))
STORE_OVERDUE = _counter(
    "resync_store_overdue_corrections_total", "Unanswered corrections sent round to be compared again.", (STORE,)
)
STORE_FAULTS = _counter("resync_store_faults_total", "Times that the store waited for a part that was away.", (STORE,))
STORE_REFUSED_CLEARINGS = _counter(
    "resync_store_refused_clearings_total",
    "Wishes to clear that the policy does not allow to their control topic, by what was not allowed; the log names the"
    " topic. Counted again when the topic is read again.",
    (STORE,),
    ground=(Ground.UNDECLARED, Ground.RIGHT, Ground.DISTRICT, Ground.OBJECT),
)
STORE_DECISIONS = _counter(
    "resync_store_decisions_total",
    "Requests that were planned to their end: held for the guard against mass changes, or let pass.",
    (STORE,),
    decision=("held", "passed"),
)
STORE_ORDERS = _counter(
    "resync_store_orders_total",
    "Orders to release, reject or cancel a request: taken, or why they stayed without effect. Those without effect are"
    " counted again when the control topic is read again.",
    (STORE,),
    action=tuple(OrderAction),
    result=("taken", *Void),
)
STORE_RELEASED = _counter(
    "resync_store_released_chunks_total", "Parked chunks published, of requests that are held no more.", (STORE,)
)
STORE_STEPS = _counter(
    "resync_store_linked_steps_total", "Steps of linked runs that followed from one before.", (STORE,), mode=tuple(Mode)
)
HELD_REQUESTS = _live("resync_held_requests", "Requests held until somebody releases or rejects them.", (STORE,))
OLDEST_HELD = _live(
    "resync_oldest_held_request_seconds", "Time since the oldest of these was held; 0 if none.", (STORE,)
)
STORE_SECONDS = _histogram("resync_store_batch_seconds", "Time to store one batch.", (STORE,), _QUICK_S)
STORE_LAG_RECORDS = _live("resync_store_lag_records", "History records not yet stored, of this process.", (STORE,))
STORE_LAG_SECONDS = _live("resync_store_lag_seconds", "Time since this process had stored all there was.", (STORE,))
STORE_OFFSET = _live(
    "resync_store_applied_offset",
    "The next offset that the tables need, by partition of the history topic.",
    (STORE,),
    partition="the partitions of the history topic that the process has",
)
UNANSWERED = _live(
    "resync_oldest_unanswered_correction_seconds",
    "Age of the oldest correction without an answer; 0 if none.",
    (STORE,),
)

GROUP_MEMBERS = _live(
    "resync_group_members", "Members of a role's consumer group, as the broker counts them.", (MONITOR,), role=READERS
)
GROUP_LAG_RECORDS = _live(
    "resync_group_lag_records",
    "Records that a role's group has not done with, transaction markers included.",
    (MONITOR,),
    role=READERS,
    topic=TOPICS,
)
GROUP_LAG_SECONDS = _live(
    "resync_group_lag_seconds",
    "Age of the oldest record that a role's group has not done with, as of the monitor's last look; 0 if none.",
    (MONITOR,),
    role=READERS,
    topic=TOPICS,
)
RETENTION = _live(
    "resync_topic_retention_seconds",
    "How long the broker keeps a topic's records; no series where for ever.",
    (MONITOR,),
    topic=TOPICS,
)
DEAD_LETTERS_END = _live(
    "resync_dead_letters_end_offset",
    "End offsets of the dead-letter topic, added up: grows with what any process sets aside, also before it is scraped"
    " for the first time. Transaction markers included.",
    (MONITOR,),
)
OPEN_REQUESTS = _live(
    "resync_open_requests",
    "Requests accepted on the history topic whose end is not announced there; those that are held do not count.",
    (MONITOR,),
)
OLDEST_OPEN = _live(
    "resync_oldest_open_request_seconds",
    "Age of the oldest request without an announced end, or that no processor has taken on; 0 if none.",
    (MONITOR,),
)
MONITOR_AGE = _live("resync_monitor_look_age_seconds", "Time since the broker last answered all questions.", (MONITOR,))
