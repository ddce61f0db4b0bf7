"""Where files come from."""

from vbiflow import provenance


def test_digest_ignores_the_order_of_keys():
    assert (
        provenance.settings_digest({"a": 1, "b": [2]})
        == provenance.settings_digest({"b": [2], "a": 1})
        != provenance.settings_digest({"a": 1})
    )


def test_versions_name_what_is_loaded():
    found = provenance.versions()
    assert found["vbiflow"] and found["python"].startswith("3.")
