from processor.adapters.kafka.clients import client_config, consumer_config, producer_config, reader_config
from processor.settings import Settings

SETTINGS = Settings(bootstrap_servers="localhost:1")
STRATEGY = "metadata.recovery.strategy"


def test_all_but_producers_of_transactions_start_over_from_the_bootstrap_servers() -> None:
    assert producer_config(SETTINGS, "process")[STRATEGY] == "none"
    for config in (client_config(SETTINGS), consumer_config(SETTINGS, "process"), reader_config(SETTINGS)):
        assert STRATEGY not in config, "librdkafka's default starts over"
