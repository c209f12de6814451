"""samples/delegation with the daemon: each file server goes on in its client's name with that client's own rights, and has no key in its memory."""
import pathlib
import sys

import lsa
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import test_delegation_sample as sample  # noqa: E402
from realm import keytab_keys  # noqa: E402

realm_of_the_module = sample.realm_of_the_module
directory_of_the_test = sample.directory_of_the_test


class KeptChain(sample.Chain):
    """Each server has a daemon of its own, which alone may read its keytab."""

    def __init__(self, realm, directory, package, kerberos="", servers=sample.SERVERS):
        self.daemons = []
        super().__init__(realm, directory, package, kerberos, servers)

    def environment(self, name, text):
        if name not in sample.SERVERS:
            return super().environment(name, text)
        place = self.directory / f"lsa-{name}"
        place.mkdir()
        env = {**self.realm.env, "KRB5_KTNAME": f"FILE:{self.realm.directory}/{name}.keytab"}
        env.pop("KRB5CCNAME", None)
        daemon = lsa.Daemon(place, more=f"[kerberos]\n{sample.PATIENCE}{self.kerberos}", env=env, prefix=getattr(self.realm, "prefix", ()))
        daemon.start()
        self.daemons.append(daemon)
        return super().environment(name, f"[lsa]\nmode = daemon\nsocket = {daemon.socket}\n[kerberos]\nkeytab = FILE:{place}/none\n"
                                         f"[access]\nname_domains = {self.realm.name}\n")

    def close(self):
        super().close()
        for daemon in self.daemons:
            assert daemon.stop() == 0, daemon.output()


def long_term_keys(realm):
    names = [*sample.SERVERS, *sample.USERS]
    return {f"{name} {n}": key for name in names for n, key in enumerate(keytab_keys(f"{realm.directory}/{name}.keytab"))}


@pytest.fixture(name="chain", params=("Negotiate", "Kerberos"))
def chain_of_the_test(realm, directory, request):
    chain = KeptChain(realm, directory, request.param)
    try:
        yield chain
    finally:
        chain.close()


@pytest.mark.parametrize("keeps", ((), ("-k",)), ids=("forwarded", "s4u2proxy"))
def test_own_rights_and_no_keys(chain, realm, keeps):
    for hops, name in enumerate(sample.SERVERS):
        for user, other in (sample.USERS, sample.USERS[::-1]):
            assert chain.ask(user, hops, f"{user}.txt", *keeps) == f"OK {name}: of {user}", chain.told()
            assert chain.ask(user, hops, f"{other}.txt", *keeps) == f"NO {name}: this user may not read it"
        assert chain.ask(sample.USERS[0], hops, "root.txt", *keeps) == f"NO {name}: this user may not read it"
    for server in chain.servers:
        assert lsa.memory_holds(server.pid, long_term_keys(realm)) == set()


def test_crowd(chain):
    sample.test_crowd(chain)


def test_policy_of_the_servers(realm, directory):
    sample.test_policy_of_the_servers(realm, directory, KeptChain)


def test_policy_of_the_domain(realm, directory):
    sample.test_policy_of_the_domain(realm, directory, KeptChain)


test_policy_of_the_account = sample.test_policy_of_the_account


def test_the_search_finds(realm, directory):
    """The same servers without a daemon have their keys in memory, or the search above would prove nothing."""
    chain = sample.Chain(realm, directory, "Kerberos")
    try:
        assert chain.ask("games", 0, "games.txt") == "OK first: of games"
        found = lsa.memory_holds(chain.servers[-1].pid, long_term_keys(realm))
        assert found and all(name.startswith("first ") for name in found)
    finally:
        chain.close()
