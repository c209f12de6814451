"""The two sides of SASL in interop tests: ours, through the SASL functions, and Cyrus SASL's."""
from peers import Helper, hex_of


class SaslSends:
    """With the SASL functions. `layer` is what a client asks for, and what a server insists on."""
    program = "peer_opensspi"
    layer = None

    def with_sasl(self, layer):
        """Flags for a layer."""
        self.layer = layer
        assert self.answer("sasl") is not None
        return "" if layer in (None, "none") else layer

    def send(self, text):
        return self.data("seal" if self.layer == "confidentiality" else "wrap", hex_of(text))


class Cyrus(Helper):
    """Cyrus' client takes the strongest layer up to maxssf, its server offers from minssf to maxssf. `strengths` are the numbers of the layers."""
    program = "peer_cyrus"
    strengths, least = {}, 0

    def __init__(self, world, **environment):
        super().__init__(world, ASAN_OPTIONS="detect_leaks=0", **environment)

    def begin(self, role, layer=None, **words):
        if layer is not None:
            words["maxssf"] = self.strengths[layer]
            words["minssf"] = min(self.strengths[layer], self.least)
        return self.stepped(self.answer(role, *(f"{key}={value}" for key, value in words.items())))

    def send(self, text):
        return self.data("seal", hex_of(text))
