"""The same three file servers with their daemons in an Active Directory domain: Samba's controller decides who may act for whom."""
import pathlib
import sys

import pytest
from ad import Ad

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import test_delegation_sample as sample  # noqa: E402
import test_lsa_delegation as kept  # noqa: E402

directory_of_the_test = sample.directory_of_the_test
chain_of_the_test = kept.chain_of_the_test
test_own_rights_and_no_keys = kept.test_own_rights_and_no_keys
test_crowd = kept.test_crowd
test_policy_of_the_servers = kept.test_policy_of_the_servers
test_policy_of_the_domain = kept.test_policy_of_the_domain
test_policy_of_the_account = kept.test_policy_of_the_account
test_the_search_finds = kept.test_the_search_finds


@pytest.fixture(scope="module", name="realm")
def realm_of_the_module():
    with Ad() as ad:
        ad.directory.chmod(0o711)
        for user in (*sample.USERS, sample.GUARDED):
            ad.user(user, "Password1!")
            ad.keytab(user, f"{user}.keytab")
        for name in sample.SERVERS:
            ad.service(name, sample.principal(name))
            ad.keytab(name, f"{name}.keytab")  # it logs on as the account, which comes first
            ad.keytab(sample.principal(name), f"{name}.keytab")
        for name, target in zip(sample.SERVERS, sample.SERVERS[1:]):
            ad.tool("delegation", "for-any-service", name, "on")  # its clients forward their tickets to it
            ad.tool("delegation", "add-service", name, sample.principal(target))
        ad.not_delegated(sample.GUARDED)
        yield ad
