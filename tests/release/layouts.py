"""Small release notes of our own, one in each layout that Mojaloop's Helm releases had, and one of an extension."""

from __future__ import annotations

__all__ = ["COMPONENTS", "EXTENSION", "LAYOUTS", "V13", "V14", "V15", "V17"]

_HOST = "https://git.example/team"

V13 = f"""\
## Helm release notes
1. Ticket: {_HOST}/project/issues/1
2. Revisions:

Date | Revision | Description
---------|----------|---------
 2021-03-14 | 1 | Release
 2021-03-01 | 0 | Draft

### 2. New Features

1. Ledgers count faster

## 4. Application versions

1. ledger: v1.1.6 -> **v1.2.0**
2. adapter: 2.0.10 -> **2.1.0**
3. simulator: **v3.0.0-snapshot**
4. portal: **v4.0.0** _(DEPRECATED)_

## 5. Application release notes

1. ledger - {_HOST}/ledger/releases/tag/v1.2.0
2. adapter- {_HOST}/adapter/releases/tag/v2.2.0
3. gateway - {_HOST}/gateway/releases/tag/v9.0.0

## 6. Operational Chart versions

1. LOGS: **v12.0.0**

## 7. Breaking changes

1. Ledger - Its port has moved ([why]({_HOST}/ledger/1))

## 9. Testing notes

1. The cases expect:
\t-  mode [adapter.config.simple_mode]({_HOST}/values#L4)=true. Else (7 expected failures) [SIMPLE_MODE]({_HOST}/x).

2. This release has been tested against the following:
\t- Kubernetes: v1.20.6
\t- Testing Toolkit Test Cases: [v13.9.0]({_HOST}/testing-toolkit-test-cases/releases/tag/v13.9.0)

## 10. Known Issues

1. [#11 - Sums are late]({_HOST}/project/issues/11)
2. [#12 - Unstable]({_HOST}/project/issues/12) **PENDING***

## 11. Contributors

- Us
"""

V14 = f"""\
# Helm Release Notes

## 1. New Features

1. Ledgers count faster

## 3. Application versions

1. ledger: v1.1.6 -> **v1.2.0**
2. adapter: 2.0.10 -> **2.1.0** ([Compare]({_HOST}/adapter/compare/v2.0.10...v2.1.0))
3. simulator: **v3.0.0-snapshot**
4. portal: **v4.0.0** _(DEPRECATED)_

## 5. Breaking changes

_Note: only for operators._

1. **Ledger:** Its port has moved:

    ```bash
    # not a heading
    run --port 1.2.3
    ```
2. **Adapter:** wants a key
   - and another

## 7. Testing notes

1. This release has been tested against the following:
    - Kubernetes: `v1.24.8`
    - Testing Toolkit Test Cases: [v13.9.0]({_HOST}/testing-toolkit-test-cases/releases/tag/v13.9.0)

## 8. Known Issues

1. [#11 - Sums are late]({_HOST}/project/issues/11)
2. Test issues
    1. [#13 - Not repeatable]({_HOST}/project/issues/13)
3. [#12 - Unstable]({_HOST}/project/issues/12)
"""

_MATRIX = f"""\
1. Validated against the following Dependency Test Matrix:

    | Dependency | Version |  Notes   |
    | ---------- | ------- | --- |
    | Kubernetes | v1.29 | [Notes]({_HOST}/k) |
    |  Testing Toolkit Test Cases   |  [v13.9.0]({_HOST}/testing-toolkit-test-cases/releases/tag/v13.9.0)   |     |
"""
_APIS = f"""\
| API         | Supported Versions    | Notes |
| ----------- | --------------------- | ----- |
| FSPIOP      | [v1.1]({_HOST}/a), v2.0 |       |
| Admin       | [v1.0]({_HOST}/b) |       |
"""

V15 = f"""\
# Helm Release Notes

Date | Revision | Description
---------|----------|---------
 2021-03-14 | 0 | Draft
  |  |

## 0. Summary

Changes to [v13.8.0 Release](./release-v13.8.0.md):

1. Ledgers count faster

## 3. Application versions

1. ledger: 1.1.6 -> [v1.2.0](({_HOST}/l/releases/tag/v1.2.0)) ([Compare]({_HOST}/l/compare/v1.1.6...v1.2.0))
2. adapter: v2.0.10 -> [2.1.0]({_HOST}/adapter/releases/tag/v2.0.10)
3. simulator: [v3.0.0-snapshot]({_HOST}/simulator/releases/v3.0.0-snapshot)
4. portal: [v4.0.0]({_HOST}/portal/releases/tag/v4.0.0) *(DEPRECATED)*

## 4. API Versions

{_APIS}
## 5. Breaking changes

N/A

## 7. Testing notes

{_MATRIX}
## 8. Known Issues

1. [#11 - Sums are late]({_HOST}/project/issues/11)
"""

_PAD = " " * 21


def _changed(name: str, before: str, after: str) -> str:
    shown = f"[{after}]({_HOST}/{name}/releases/{after})"
    return f"{name}: {before} ->{_PAD}{shown}{_PAD}([Compare]({_HOST}/{name}/compare/{before}...{after}))"


V17 = f"""\
# Helm Release Notes

Date | Revision | Description
---------|----------|---------
2021-03-14 | 0 | Initial draft

## 7. Known Issues

1. [#11 - Sums are late]({_HOST}/project/issues/11)

## 0. Summary

Changes to the [v13.8.0 Release]({_HOST}/x), which includes:

_Release summary points go here..._

## 1. New Features
There are no new features in this release.

## 3. Application Versions

1. {_changed("ledger", "v1.1.6", "v1.2.0")}
2. {_changed("adapter", "v2.0.10", '"v2.1.0"')}
3. {_changed("simulator", "", "v3.0.0-snapshot")}
4. portal: [4.0.0]({_HOST}/portal/releases/4.0.0)

## 4. API Versions

{_APIS}
## 5. Testing notes

{_MATRIX}
## 6. Breaking Changes

### ledger
  * config/default.json: ({_HOST}/ledger/blob/1/config%2Fdefault.json)
  * migrations/1_a.js: ({_HOST}/ledger/blob/1/migrations%2F1_a.js)
### adapter
  * config/default.json: ({_HOST}/adapter/blob/1/config%2Fdefault.json)

**Full Changelog**: {_HOST}/helm/compare/v13.8.0...v13.9.0
"""

EXTENSION = """\
# Payment Manager v13.9.0

## Changes

Onboarding is quicker.

## Components

| Component | Previous | Version |
|---|---|---|
| ledger | 1.1.6 | 1.2.0 |
| adapter | v2.0.10 | v2.1.0 |
| simulator | - | v3.0.0-snapshot |
| portal | | 4.0.0 |

## Known issues

None.
"""

COMPONENTS = {"ledger": "1.2.0", "adapter": "2.1.0", "simulator": "3.0.0-snapshot", "portal": "4.0.0"}
LAYOUTS = {"v13": V13, "v14": V14, "v15": V15, "v17": V17, "extension": EXTENSION}
