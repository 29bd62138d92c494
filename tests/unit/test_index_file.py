"""The packets of an index as bytes: they come back as they were, and nothing else is taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_worker.video.index import PacketRecord
from video_worker.video.index_file import decode_packets, encode_packets

NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)
PACKETS = st.lists(
    st.builds(
        PacketRecord, st.none() | NUMBERS, st.none() | NUMBERS, NUMBERS, NUMBERS, st.booleans(), st.booleans()
    )
)


@given(PACKETS)
def test_packets_come_back_without_their_positions(packets: list[PacketRecord]) -> None:
    found = decode_packets(encode_packets(packets))
    assert found == [packet._replace(position=None) for packet in packets]


@pytest.mark.parametrize("change", [lambda all_of_it: all_of_it[:-9], lambda _: b"", lambda _: b"\xff" * 99])
def test_bytes_that_are_no_packets_are_refused(change: object) -> None:
    content = encode_packets([PacketRecord(1, 2, 3, 4, False, True)] * 50)
    with pytest.raises(ValueError, match="an index"):
        decode_packets(change(content))  # type: ignore[operator]
    with pytest.raises(ValueError, match="an index"):
        decode_packets((51).to_bytes(8, "little") + content[8:])
    with pytest.raises(ValueError, match="an index"):
        decode_packets((49).to_bytes(8, "little") + content[8:])
