"""Fifty checks of the official suites v15.1.0 and v17.1.0, followed by hand from one to the other. Ids only.

Source: mojaloop/testing-toolkit-test-cases, tags v15.1.0 and v17.1.0, the files named.
"""

from __future__ import annotations

from collections.abc import Iterator

_PROVISIONING = "hub/provisioning/", "hub/provisioning/for_golden_path/"
_GOLDEN = "hub/golden_path/", "hub/golden_path/"
_2697 = "hub/golden_path/bug fixes/Test for Bugfix #2697 - "
_2697_FILES = (
    _2697
    + "Central-Ledger Fulfil Handler does not correctly invalidate requests with an incorrect-non-existent FSP-ID "
    "in the FSPIOP-Destination header.json::",
    _2697 + "Fulfil Handler does not correctly invalidate requests.json::",
)
_PUT = (
    "p2p_money_transfer_put_notifications - payee receives no Notification with ABORTED status after sending invalid "
    "FSPIOP-Destination header with transferStatus=COMMITTED"
)
_PATCH = (
    "p2p_money_transfer_patch_notifications - payee receives PATCH Notification with ABORTED status after sending "
    "invalid FSPIOP-Destination header with transferStatus=RESERVED"
)
_JSON = "application/vnd.interoperability.{}+json;version=1.0"
_SIMS, _CGS, _HUB = "MojaloopSims_Onboarding/", "CGS_Specific/", "MojaloopHub_Setup/hub.json"

# prefixes before and after; case, or cases; per check the step and label, or those before and those after
_TABLE: tuple[tuple[tuple[str, str], str | tuple[str, str], tuple[str | tuple[str, str], ...]], ...] = (
    (_2697_FILES, _PUT, (
        "Send quote::Request transactionType scenario to be TRANSFER",
        "Send quote::Callback body should contain transferAmount",
        "Send transfer::Payee Notification transferState to be ABORTED",
        "Send transfer::Response status to be 202",
        "Send transfer::Payee Notification FSP Source is Switch",
    )),
    (_2697_FILES, _PATCH, (
        "Send quote::Callback transferAmount (amount & currency)to match the request",
        "Send transfer::Payer Callback content-type to be transfers",
        "Get Transfer::Callback transferState is ABORTED",
    )),
    (_GOLDEN, "bug fixes/Tests for Bugfix #990 and #1016 - Quotes.json::other", ((
        "QuotesById - 13c - 400-Missing Date header (BUG)::Check Missing mandatory element",
        "QuotesById - 13c - 400-Missing Date header (BUG)::Missing element error",
    ),)),
    (_GOLDEN, "quoting_service/quoting_service.json::quoting_service", ((
        "Send quote - missing date::Missing mandatory element error",
        "Send quote - missing date::Missing element error",
    ),)),
    (_GOLDEN, "feature_tests/get_transfers.json::Get Transfers", ((
        f"Send Transfer::Payer FSP: 'content-type' should be '{_JSON.format('transfers')}'",
        "Send Transfer::Payer FSP: 'content-type' should be correct",
    ),)),
    (_GOLDEN, "feature_tests/transfer_negative_scenarios/payee_abort_v1.1.json::payee_abort_v1.1", ((
        f"Check Transfer status - ABORTED::Callback Header - content-type is {_JSON.format('transfers')}",
        "Check Transfer status - ABORTED::Callback Header - content-type is correct",
    ),)),
    (_GOLDEN, "feature_tests/duplicate_handling/transfers/original_transfer_at_committed.json::"
     "p2p_money_transfer - p2p_happy_path RECEIVE_QUOTE", ((
        f"Send quote::Callback Header - content-type is {_JSON.format('quotes')}",
        "Send quote::Callback Header - content-type is correct",
    ), (
        f"Send transfer::Callback Header - content-type is {_JSON.format('quotes')}",
        "Send transfer::Callback Header - content-type is correct",
    ))),
    (_PROVISIONING, f"{_CGS}adjust-participants-limits.json::"
     "adjust ALL participants limits NET DEBIT CAP (parametrized)", (
        "PUT /participants/testfsp2/limits adjust participants limits NDC::response code 200",
        "GET /participants/limits before updating NDC::response code 200",
    )),
    (_PROVISIONING, f"{_HUB}::Hub Account", (
        "Add Hub Account-HUB_RECONCILIATION::status to be 201 if not exists or 400 if exists",
        "Add Hub Account-HUB_MULTILATERAL_SETTLEMENT CGS::status to be 201 if not exists or 400 if exists",
        "Hub Set Email-NET_DEBIT_CAP_ADJUSTMENT_EMAIL::Status code is 201",
    )),
    (_PROVISIONING, f"{_HUB}::Settlement Models", (
        "Create settlement model Interchange Fee::settlement model created code 201",
    )),
    (_PROVISIONING, f"{_HUB}::Oracle Onboarding", (
        "Register MSISDN Oracle::status to be 201 or errorCode 2001 already exists",
    )),
    (_PROVISIONING, f"{_SIMS}noresponsepayeefsp.json::noresponsepayeefsp account", (
        "noresponsepayeefsp Get Status Request after deposit::status to be 200",
        "Deposit Funds in Settlement Account currency2::status to be 202",
    )),
    (_PROVISIONING, f"{_SIMS}payeefsp.json::payeefsp callbacks", (
        "Add payeefsp callback - TRANSFERS PUT::Status code is 201",
        "Add callback - PARTIES SUB-ID ERROR PUT::Status code is 201",
    )),
    (_PROVISIONING, f"{_SIMS}testfsp2.json::testfsp2 callbacks", (
        "Add testfsp2 callback - PARTIES SUB-ID PUT::Status code is 201",
        "Add testfsp2 callback - PARTICIPANT PUT Error::Status code is 201",
    )),
    (_PROVISIONING, f"{_SIMS}testfsp4.json::FSP Onboarding(MojaloopSims_Onboarding)-testfsp4-callbacks", (
        "Add testfsp4 callback - TRANSFER POST::resposne code 201",
        "Add testfsp4 callback - QUOTES::resposne code 201",
    )),
    (_PROVISIONING, f"{_SIMS}payerfsp.json::payerfsp notification_emails", (
        "Set Email-NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL::Status code is 201",
    )),
    (_PROVISIONING, f"{_SIMS}payerfsp.json::payerfsp add_users", (
        "Add SubId User - payerIdType - payerIdentifier - 100::Status code is 202",
    )),
    (_PROVISIONING, f"{_SIMS}payeefsp.json::payeefsp oracle_registration", (
        "Add payeeIdentifier in payeeIdType Oracle::Status code is 202",
    )),
    (_PROVISIONING, f"{_SIMS}testfsp3.json::FSP Onboarding(MojaloopSims_Onboarding)-testfsp3", (
        "GET /participants testfsp3::resposne code is 200",
        "[NBC=0]Add initial position and limits - testfsp3::response code is 201",
    )),
    (_PROVISIONING, f"{_SIMS}ttkpayeefsp.json::ttkpayeefsp provisioning", (
        "Set Endpoint-NET_DEBIT_CAP_ADJUSTMENT_EMAIL::Status code is 201",
    )),
    (_PROVISIONING, tuple(f"{_SIMS}testingtoolkitdfsp.json::{case}" for case in (
        "testingtoolkitdfsp provisioning", "Endpoints")), (
        "Add callback - PARTIES GET::Status code is 201",
        "DFSP Endpoint-NET_DEBIT_CAP_THRESHOLD_BREACH_EMAIL::Status code is 201",
    )),
    (_PROVISIONING, tuple(f"{_SIMS}testingtoolkitdfsp.json::{case}" for case in (
        "testingtoolkitdfsp provisioning", "Additional Currencies")), (
        "Add participant with second currency CGS::status to be 201 if not exists or 400 if exists",
    )),
    (_PROVISIONING, tuple(f"{_SIMS}testingtoolkitdfsp.json::{case}" for case in (
        "testingtoolkitdfsp provisioning", "Primary Account")), (
        "Add participant::status to be 201 if not exists or 400 if exists",
    )),
)  # fmt: skip


def _both(value: str | tuple[str, ...]) -> tuple[str, str]:
    return (value, value) if isinstance(value, str) else (value[0], value[1])


def _moved() -> Iterator[tuple[str, str]]:
    for prefixes, cases, checks in _TABLE:
        before, after = (prefix + case for prefix, case in zip(prefixes, _both(cases), strict=True))
        for check in checks:
            old, new = _both(check)
            yield f"{before}::{old}", f"{after}::{new}"


MOVED = dict(_moved())
"""By the id in v15.1.0, the id in v17.1.0."""

_QUOTES = "hub/golden_path/api-tests/Quotes/quotes-negative-scenarios.json::api-tests/"
_SETTLED = "hub/golden_path/settlement_cgs/newsetcgs.json::"
REMOVED = (
    f"{_QUOTES}quotes::FNLN-Send Quotes - missing FN::Payee Side Request Header - content-type is same",
    f"{_QUOTES}Quotes/DOB::Send Quote - null string DOB::Malformed DOB from payer",
    f"{_SETTLED}Store settlement and position balances before-transfers::get balances for payerfsp::"
    "Response code is 200",
    f"{_SETTLED}[new sims] new transfers window3::POST /scenarios testfsp3 -> testfsp1 w2w SEND [56.00 TZS]::"
    "Status code is 200",
    "hub/golden_path/feature_tests/Active_Inactive_participants/active_and_inactive_participants_accounts.json::"
    "Active and inactive participant account::Send Transfer fail (SIM1 to SIM2)::"
    "Payer side Callback Body - Error Description is Generic validation error",
)
"""In v15.1.0, and asked nowhere in v17.1.0."""

_FX = "hub/golden_path/fx/feature_tests/"
_FXP = "hub/provisioning/for_golden_path/MojaloopSims_Onboarding/ttkfxp1.json::"
NEW = (
    f"{_FX}happy_path/fx_tests.json::Happy Path FX E2E::POST /quotes::Callback Content Length not 0",
    f"{_FX}duplicate_handling/duplicate_fx_transfers.json::Duplicate fxTransfer::POST /transfer::"
    "Response status to be 202",
    f"{_FXP}Endpoints::Add callback - FXQUOTES PUT::Status code is 201",
    f"{_FXP}Primary Account::Add initial position and limits::status to be 201 if not exists or 500 if exists",
    "hub/golden_path/negative_scenarios/quotes_negative.json::POST /quotes with missing headers::"
    "POST /quotes - missing fspiop-destination header::Response status to be 400",
    "hub/cleanup/position_cleanup_prod.json::Close current open window and store data for all closed windows::"
    "Get Existing Open Window::Response status to be 200",
)
"""In v17.1.0, and asked nowhere in v15.1.0."""
