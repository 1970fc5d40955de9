"""Every metric's name and meaning, in one place."""

from prometheus_client import Counter

MISROUTED = Counter(
    "resync_misrouted_records_total", "Records found in another partition than their district's, and moved.", ["lane"]
)
REPEATED = Counter("resync_repeated_records_total", "Records whose work had been taken on before.", ["lane"])
DEAD_LETTERS = Counter("resync_dead_letters_total", "Records set aside because they cannot be used.", ["reason"])
NOT_AUTHORIZED = Counter(
    "resync_not_authorized_requests_total",
    "Requests refused by the policy, by topic and by what was not allowed.",
    ["topic", "ground"],
)
TRANSACTIONS = Counter("resync_transactions_total", "Kafka transactions by how they ended.", ["role", "result"])
CORRECTIONS = Counter("resync_corrections_total", "Corrections sent to the state, by operation.", ["op"])
OUTCOMES = Counter("resync_key_outcomes_total", "Outcomes written, by status.", ["status"])
