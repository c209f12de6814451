#include "sasl/layer.h"

#include "base/utf16.h"

enum wire_result layer_message_parse(struct slice bytes, bool clients, struct layer_message *message)
{
    struct reader reader = reader_of(bytes);
    uint32_t word;
    try(reader_u32be(&reader, &word));
    struct slice authzid = reader_rest(&reader);
    require(clients || authzid.len == 0, WIRE_BAD);
    require(utf8_valid(authzid), WIRE_BAD);
    *message = (struct layer_message){(uint8_t)(word >> 24), word & 0xffffffu, authzid};
    return WIRE_OK;
}

void layer_message_write(struct writer *writer, const struct layer_message *message)
{
    writer_u32be(writer, (uint32_t)message->layers << 24 | (message->max & 0xffffffu));
    writer_slice(writer, message->authzid);
}

uint8_t layer_wanted(uint32_t asked)
{
    if ((asked & ISC_REQ_CONFIDENTIALITY) != 0)
        return LAYER_CONFIDENTIALITY;
    /* who wants the order of messages kept wants messages that show it */
    return (asked & (ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)) != 0 ? LAYER_INTEGRITY
                                                                                                : LAYER_NONE;
}

uint8_t layers_offered(uint32_t asked, uint32_t granted)
{
    unsigned layers = LAYER_NONE;
    if ((granted & ASC_RET_INTEGRITY) != 0)
        layers |= LAYER_INTEGRITY;
    if ((granted & ASC_RET_CONFIDENTIALITY) != 0)
        layers |= LAYER_CONFIDENTIALITY;
    if ((asked & ASC_REQ_CONFIDENTIALITY) != 0)
        layers &= LAYER_CONFIDENTIALITY;
    else if ((asked & (ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)) != 0)
        layers &= LAYER_INTEGRITY | LAYER_CONFIDENTIALITY;
    return (uint8_t)layers;
}
