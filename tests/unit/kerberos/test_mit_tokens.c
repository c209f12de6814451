/* Messages that another implementation sealed and signed open here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kerberos/session.h"

#include <stdlib.h>
#include <string.h>

/* Tokens that MIT krb5 1.20.1 made as the initiator with gss_wrap (sealed, then not) and gss_get_mic, in this order, over "some text"; and with
 * gss_wrap_iov in DCE style, token and text. The records are the acceptor's: RFC 4757 has no vectors of its own. */
static const struct {
    const char *record, *sealed, *clear, *mic;
} mit_tokens[] = {
    {"010112000000333b6e340000000029676a2600000000201ac058e2485fb2620d2df0ef7e240533b1c54070bbad278c75"
     "b22962510fd33e",
     "050406ff0000000000000000266a67296bc51312f31251cd10b46786564efab6133c5a9a143503c60534c2e8af6c8e55"
     "5ba3ad968c90f77c02502c905b1c9cdcbcbf42d09f",
     "050404ff000c000000000000266a672a736f6d652074657874e2afcb4acb402c9043144ac6",
     "040404ffffffffff00000000266a672b463b155f0a14dc55bce3f7e5"},
    {"01011100000000347711000000001d2f311d0000000010eaa21746e47ce9e7a97b190e435dc5fe",
     "050406ff00000000000000001d312f1de7cfbf41042db1c4cb25f4b88e35b3772ca393763dfd646f3652247081f17a83"
     "8bbff42571617d6ce405c1c624a24ee06a750b6823",
     "050404ff000c0000000000001d312f1e736f6d6520746578740ee1b56e35259ddba6f18b8c",
     "040404ffffffffff000000001d312f1f2e1e70977764d11bcba265e6"},
    {"01011300000065833f0300000000bb3284020000000010ff762ef5a680bd86e50a5b76740357a9",
     "050406ff0000000000000000028432bbb6428ba75a083b0d1e0715b9173d96e5c16cafc264fb6004667dbb84d1c5edeb"
     "1c645cc8473b5e0cb36eee5a6cb0fbc4a3b43c7e250c6b3674",
     "050404ff0010000000000000028432bc736f6d652074657874e05c243e490259dbfe7367c20861ca2f",
     "040404ffffffffff00000000028432bd9edf0b16bd78c554c3aaea6a111dc95b"},
    {"010114000000994e8b2c000000008d64032b0000000020cf965589f878753984eecc1017f90a35e1cb0e02ad6ba9acbd"
     "a309532b3a664a",
     "050406ff00000000000000002b03648d6c34e17593bb7551cd1bc211e8e67e89c442747cac8bdbef2e65b75c524cc7fa"
     "c89ca4c11ab78d1e6a25748c61fd9ae20d4e08063316278f5333e335e224c1a241",
     "050404ff00180000000000002b03648e736f6d652074657874335619a2ee21d20b599abe86b1f695b44e25e7be3d839a"
     "8c",
     "040404ffffffffff000000002b03648fcf95be589541ab9ff4e674de115129deea4130b65677327f"},
    {"01001700000015857c3d000000002fcc7325000000001032a406cf7b0326d6503423bdac403fd6",
     "603506092a864886f712010202020111001000ffff4a916417686f37b11b7f13f18c9447dbfb35b6d90ff6924ec88257"
     "a83f955ded8977",
     "603506092a864886f71201020202011100ffffffff47db170748db42c0608a1cfd2ac5cf58b77053469085a733736f6d"
     "65207465787401",
     "602306092a864886f71201020201011100ffffffffba942fa161ab3ecf5b8678cde30a969c"},
};
static const struct {
    const char *record, *token, *text;
} mit_dce_tokens[] = {
    {"010312000000edf929180000000082be04170000000020aba81e0b9b1b127983cdbdfafaa31cac8cc3cb603291a61f52"
     "8f5e78e7a86fa5",
     "050406ff0010001c000000001704be82d82cba7edd80725d4731ef71713065e7f9400bea679052f3e48bee7deb5d52d3"
     "009caa4510fd7822ad9958c4f3b8961ef9dcf67b338e8133f84d4d30",
     "1a6d340523b0221222"},
    {"010311000000500f1a2c00000000f3d2bd2300000000101163a9e907fefaffe320501fdc59b0dd",
     "050406ff0010001c0000000023bdd2f3237d94315950a93089d25d042ee99d4a6eae8b648cb1759618bd19d2ff288a3c"
     "8de91d3519e50346e872b0c69667fa4ef5c8392aba0dccb64aedcad6",
     "916b80e8b18f5d1b54"},
    {"010313000000f22a641c00000000a2d4603100000000108b8eca8b4832d771c544f602b59642e9",
     "050406ff00100020000000003160d4a279ad01135ab9eaca0786759508d5171614c03eff38a8d93c81d8e737a4eed4ff"
     "4a0aeb164538bbd2e928858d1905f1e00964d12c833b65b48f77e3644a949b2d",
     "b89410791c5a24afc6"},
    {"0103140000009906781600000000fbe34c34000000002073579220ca5b2725d63de8dffa07819fc4a282a2604aba1ca9"
     "82b71bcebe03b8",
     "050406ff0010002800000000344ce3fb76bd0a8a464e84612bd0d7f60524761354b4b2c54ff0a273ad8cae7c84cd531b"
     "6fdce79f23118c7964201400ce290b95fe318b773d01485bd98af9433708c5647f26ced0f3364477",
     "afcfcef3238a923b25"},
    {"01021700000082c0d9000000000088b5843500000000108299c10459cc8aca326d1cbb0edc8a5d",
     "602b06092a864886f712010202020111001000ffff0ec6fb25b2ce128e2967186d63115fe391ca88fbc389233d",
     "071bcee6b7bdcca622"},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

static void *session_of_record(const char *hex)
{
    uint8_t own[128];
    void *session = NULL;
    size_t len = from_hex(hex, own);
    assert_int_equal(kerberos_session_table.open(slice_of(own, len), ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT,
                                                 false, &session),
                     SEC_E_OK);
    return session;
}

static struct message stream_message(uint8_t *data, size_t len)
{
    return (struct message){.stream = {data, len}, .n_data = 1};
}

static struct message mic_message(uint8_t *token, size_t token_len, uint8_t *text, size_t len)
{
    return (struct message){.token = {token, token_len}, .data = {{text, len, false}}, .n_data = 1};
}

static void tokens_of_mit(void **state)
{
    static const char text[] = "some text";
    uint8_t bytes[128], data[16];
    uint32_t qop;
    (void)state;
    for (size_t i = 0; i < sizeof mit_tokens / sizeof mit_tokens[0]; i++) {
        void *session = session_of_record(mit_tokens[i].record);
        struct message message = stream_message(bytes, from_hex(mit_tokens[i].sealed, bytes));
        assert_int_equal(kerberos_session_table.unseal(session, &message, 0, &qop), SEC_E_OK);
        assert_int_equal(qop, 0);
        assert_int_equal(message.stream_data.len, strlen(text));
        assert_memory_equal(message.stream_data.data, text, strlen(text));
        message = stream_message(bytes, from_hex(mit_tokens[i].clear, bytes));
        assert_int_equal(kerberos_session_table.unseal(session, &message, 0, &qop), SEC_E_OK);
        assert_int_equal(qop, SECQOP_WRAP_NO_ENCRYPT);
        assert_memory_equal(message.stream_data.data, text, strlen(text));
        memcpy(data, text, sizeof text);
        message = mic_message(bytes, from_hex(mit_tokens[i].mic, bytes), data, strlen(text));
        assert_int_equal(kerberos_session_table.verify(session, &message, 0, &qop), SEC_E_OK);
        kerberos_session_table.close(session);
    }
    for (size_t i = 0; i < sizeof mit_dce_tokens / sizeof mit_dce_tokens[0]; i++) {
        void *session = session_of_record(mit_dce_tokens[i].record);
        size_t len = from_hex(mit_dce_tokens[i].text, data);
        struct message message = mic_message(bytes, from_hex(mit_dce_tokens[i].token, bytes), data, len);
        assert_int_equal(kerberos_session_table.unseal(session, &message, 0, &qop), SEC_E_OK);
        assert_memory_equal(data, text, strlen(text));
        kerberos_session_table.close(session);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_mit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
