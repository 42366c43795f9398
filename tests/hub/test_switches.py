"""What a Scheme can switch: transfers to oneself, and a quoting service that keeps nothing."""

from __future__ import annotations

from tests.hub.world import World, quote, until, world


def test_a_transfer_to_oneself_is_refused_unless_the_scheme_allows_it() -> None:
    with world() as w:
        body, response = w.prepare("10", payeeFsp="payer")
        assert response.status_code == 202
        told = w.error("payer", f"/transfers/{body['transferId']}")
        assert (told["errorCode"], w.balance("payer")) == ("3100", 0)


def test_an_allowed_transfer_to_oneself_is_committed_and_moves_nothing_in_the_end() -> None:
    with world(on_us_transfers=True) as w:
        before = w.balance("payer")
        body, _ = w.prepare("10", payeeFsp="payer")
        w.receiver.wait("payer", "POST", "/transfers")
        assert w.balance("payer") == before + 10
        w.fulfil(body, source="payer")
        w.receiver.wait("payer", "PUT", f"/transfers/{body['transferId']}")
        assert w.balance("payer") == before
        assert w.core is not None
        w.core.ledger.check_invariants()


def asked(w: World) -> int:
    return len(w.receiver.of("payee", "POST", "/quotes"))


def test_in_simple_routing_mode_a_changed_quote_is_handed_on_as_any_other() -> None:
    with world(simple_routing=True) as w:
        body = quote()
        for number, said in enumerate((body, {**body, "note": "changed"}), start=1):
            w.fspiop("POST", "quoting-service", "/quotes", "quotes", "payer", said, destination="payee")
            until(lambda number=number: asked(w) == number)  # type: ignore[misc]
        assert w.receiver.of("payer", "PUT", f"/quotes/{body['quoteId']}/error") == []
