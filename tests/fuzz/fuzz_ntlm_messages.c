/*
 * The three NTLM messages, the pairs and the client's blob: whatever is accepted lies within the input and means the same when it is
 * written anew.
 */
#include "base/memory.h"
#include "fuzz/world.h"
#include "ntlm/messages.h"

#include <string.h>

static void check_text(uint32_t flags, struct slice bytes)
{
    char *text = NULL;
    if (ntlm_text_read(flags, bytes, &text) != WIRE_OK) {
        MUST(text == NULL);
        return;
    }
    AUTO_WRITER struct writer writer = writer_growing(bytes.len);
    MUST(ntlm_text_write(flags, &writer, text) == WIRE_OK && writer_finish(&writer) == WIRE_OK);
    if ((flags & NTLM_UNICODE) != 0)
        MUST(slice_equal(writer_slice_of(&writer), bytes));
    mem_free(text);
}

static void check_pairs(struct slice input)
{
    struct ntlm_av av, again;
    if (ntlm_av_parse(input, &av) != WIRE_OK)
        return;
    MUST(av.len >= 4 && av.len <= input.len);
    for (size_t i = 0; i < NTLM_AV_KNOWN; i++)
        world_inside(slice_of(input.data, av.len), av.value[i]);
    MUST(ntlm_av_contains(input, input));
    MUST(ntlm_av_contains(slice_of(input.data, av.len), input));

    AUTO_WRITER struct writer writer = writer_growing(0);
    MUST(ntlm_av_copy_server(&writer, input) == WIRE_OK);
    ntlm_av_write(&writer, NTLM_AV_EOL, slice_of(NULL, 0));
    MUST(writer_finish(&writer) == WIRE_OK && writer.len <= av.len);
    MUST(ntlm_av_parse(writer_slice_of(&writer), &again) == WIRE_OK && again.len == writer.len);
    MUST(again.timestamp == av.timestamp && again.flags == 0);
    MUST(again.value[NTLM_AV_CHANNEL_BINDINGS].data == NULL && again.value[NTLM_AV_TARGET_NAME].data == NULL);
    MUST(slice_equal(again.value[NTLM_AV_NB_COMPUTER], av.value[NTLM_AV_NB_COMPUTER]));
    MUST(ntlm_av_contains(input, writer_slice_of(&writer)));
}

static void check_blob(struct slice input)
{
    struct ntlm_client_challenge client, again;
    if (ntlm_client_challenge_parse(input, &client) != WIRE_OK)
        return;
    MUST(client.pairs.len == input.len - 28);
    world_inside(input, client.pairs);
    check_pairs(client.pairs);
    AUTO_WRITER struct writer writer = writer_growing(0);
    ntlm_client_challenge_write(&writer, &client);
    MUST(ntlm_client_challenge_parse(writer_slice_of(&writer), &again) == WIRE_OK);
    MUST(again.timestamp == client.timestamp && memcmp(again.challenge, client.challenge, 8) == 0);
    MUST(again.pairs.len == client.pairs.len + 4);
}

static void check_negotiate(struct slice input)
{
    struct ntlm_negotiate negotiate;
    if (ntlm_negotiate_parse(input, &negotiate) != WIRE_OK)
        return;
    MUST(input.len <= NTLM_MESSAGE_MAX);
    world_inside(input, negotiate.domain);
    world_inside(input, negotiate.workstation);
    check_text(NTLM_OEM, negotiate.domain);
}

static void check_challenge(struct slice input)
{
    struct ntlm_challenge challenge, again;
    if (ntlm_challenge_parse(input, &challenge) != WIRE_OK)
        return;
    MUST(input.len <= NTLM_MESSAGE_MAX);
    world_inside(input, challenge.target_name);
    world_inside(input, challenge.target_info);
    check_text(challenge.flags, challenge.target_name);
    check_pairs(challenge.target_info);
    AUTO_WRITER struct writer writer = writer_growing(0);
    ntlm_challenge_write(&writer, &challenge);
    MUST(writer_finish(&writer) == WIRE_OK);
    if (writer.len > NTLM_MESSAGE_MAX)
        return; /* two fields may share their bytes */
    MUST(ntlm_challenge_parse(writer_slice_of(&writer), &again) == WIRE_OK && again.flags == challenge.flags);
    MUST(memcmp(again.challenge, challenge.challenge, 8) == 0);
    MUST(slice_equal(again.target_name, challenge.target_name));
    MUST(slice_equal(again.target_info, challenge.target_info));
}

static void check_authenticate(struct slice input)
{
    struct ntlm_authenticate one, two;
    if (ntlm_authenticate_parse(input, &one) != WIRE_OK)
        return;
    const struct slice fields[] = {one.lm_response, one.nt_response, one.domain,
                                   one.user,        one.workstation, one.session_key};
    MUST(input.len <= NTLM_MESSAGE_MAX);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        world_inside(input, fields[i]);
    MUST(!one.has_mic_field || input.len >= NTLM_MIC_OFFSET + NTLM_MIC_LEN);
    check_text(one.flags, one.user);
    check_text(0, one.domain);
    if (one.nt_response.len > 16)
        check_blob(slice_of(one.nt_response.data + 16, one.nt_response.len - 16));
    AUTO_WRITER struct writer writer = writer_growing(0);
    ntlm_authenticate_write(&writer, &one);
    MUST(writer_finish(&writer) == WIRE_OK);
    if (writer.len > NTLM_MESSAGE_MAX)
        return;
    MUST(ntlm_authenticate_parse(writer_slice_of(&writer), &two) == WIRE_OK && two.flags == one.flags);
    MUST(slice_equal(one.nt_response, two.nt_response) && slice_equal(one.lm_response, two.lm_response));
    MUST(slice_equal(one.user, two.user) && slice_equal(one.domain, two.domain));
    MUST(slice_equal(one.workstation, two.workstation) && slice_equal(one.session_key, two.session_key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    check_negotiate(input);
    check_challenge(input);
    check_authenticate(input);
    check_pairs(input);
    check_blob(input);
    return 0;
}
