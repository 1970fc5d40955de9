from processor.adapters.kafka.topics import TopicSpec, TopicState, faults


def test_a_missing_topic_s_fault_says_what_creates_it() -> None:
    spec = TopicSpec("resync.requests", 6, {}, same_count=True)
    assert faults([TopicState(spec, None, {})]) == ["resync.requests does not exist: `resync topics create` creates it"]
