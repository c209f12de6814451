/* Several messages side by side: each waits for its own chain of blocks and its own digest, and while it waits the others go on. */
#include "base/secret.h"
#include "crypto/krb5_run.h"

#include <string.h>

/* Shorter messages go through a copy in one piece, in which everything up to the last block of the digest is side by side; for longer ones copying
 * would cost more than their ends do. */
#define SHORT_MAX ((size_t)1280)
#define SHA1_LEN 20

/* A message on its way. */
struct work {
    struct krb_job *job;
    size_t cipher_len, text_len; /* short: of the copies */
    size_t at, given, n_units;   /* long: where the cipher stands */
    struct krb_lane lane;
    struct krb_run run;
    unsigned piece;
    bool is_short;
    bool looked; /* long: this piece's stretch was taken */
    /* Short: what is encrypted, and what is hashed; both are filled up to whole units. */
    uint8_t cipher[SHORT_MAX + STITCH_UNIT], text[SHORT_MAX + (size_t)2 * STITCH_UNIT];
};

static size_t whole_len(const struct krb_job *job)
{
    size_t len = 0;
    for (unsigned i = 0; i < job->n_pieces; i++)
        len += job->pieces[i].len;
    return len;
}

/* What is encrypted is plain in `cipher` now. */
static void text_gather(struct work *work)
{
    work->text_len = krb_text_gather(work->job->pieces, work->job->n_pieces, work->cipher, work->text);
    memcpy(work->lane.state, work->job->cipher->integrity.inner.w32, sizeof work->lane.state);
    work->lane.hashed = work->text;
    work->lane.n_units = hmac_sha1_pad(work->text, work->text_len);
}

/* The second half of HMAC (RFC 2104), for those short ones whose first half is done. */
static void macs_end(struct work *works, unsigned n, uint8_t macs[STITCH_LANES][SHA1_LEN])
{
    struct krb_lane *lanes[STITCH_LANES] = {NULL};
    unsigned n_lanes = 0;
    for (unsigned k = 0; k < n; k++) {
        struct work *work = &works[k];
        if (!work->is_short)
            continue;
        hmac_sha1_bytes(work->lane.state, work->text);
        memcpy(work->lane.state, work->job->cipher->integrity.outer.w32, sizeof work->lane.state);
        work->lane.hashed = work->text;
        work->lane.n_units = hmac_sha1_pad(work->text, SHA1_LEN);
        lanes[n_lanes++] = &work->lane;
    }
    krb_lanes_hash(lanes, n_lanes);
    for (unsigned k = 0; k < n; k++)
        if (works[k].is_short)
            hmac_sha1_bytes(works[k].lane.state, macs[k]);
}

static void work_begin(struct work *work, struct krb_job *job)
{
    work->job = job;
    work->is_short = whole_len(job) <= SHORT_MAX && krb_cipher_len(job->pieces, job->n_pieces) >= AES_BLOCK_LEN;
    work->lane.n_units = 0;
    if (work->is_short) {
        work->cipher_len = krb_cipher_gather(job->pieces, job->n_pieces, work->cipher);
        return;
    }
    krb_run_begin(&work->run, job->cipher, job->pieces, job->n_pieces);
    krb_cts_begin(&work->run.cts, &job->cipher->cbc, krb_cipher_len(job->pieces, job->n_pieces));
    work->piece = 0;
    work->at = work->given = work->n_units = 0;
    work->looked = false;
}

static void work_wipe(struct work *work)
{
    if (work->is_short) {
        secret_wipe(work->cipher, work->cipher_len);
        secret_wipe(work->text, work->text_len);
    }
}

/* Is there a piece to go on with? Fixed ones are the digest's alone. */
static bool work_piece(struct work *work)
{
    while (work->piece < work->run.n_pieces) {
        const struct krb_piece *piece = &work->run.pieces[work->piece];
        if (!piece->fixed && work->at < piece->len)
            return true;
        work->piece++;
        work->at = 0;
        work->looked = false;
    }
    return false;
}

static bool seal_advance(struct work *work)
{
    struct krb_run *run = &work->run;
    while (work_piece(work)) {
        const struct krb_piece *piece = &run->pieces[work->piece];
        if (!work->looked) {
            work->looked = true;
            krb_run_hash(run, work->given); /* fixed pieces on the way */
            work->n_units = krb_run_stretch(run, &work->job->cipher->cbc.aes, piece, &work->lane);
            if (work->n_units > 0)
                return true;
        }
        size_t left = piece->len - work->at, now_len = left < KRB_CHUNK_LEN ? left : KRB_CHUNK_LEN;
        work->given += now_len;
        krb_run_hash(run, work->given);
        krb_cts_update(&run->cts, piece->data + work->at, now_len);
        work->at += now_len;
    }
    return false;
}

static void seal_stretched(struct work *work)
{
    krb_run_stretched(&work->run, &work->lane, work->n_units);
    work->at += work->n_units * STITCH_UNIT;
    work->given += work->n_units * STITCH_UNIT;
}

/* RFC 3962, section 5: the last block is filled up with zeros, and the last two change places. */
static void short_seal_begin(struct work *work)
{
    size_t n_units = (work->cipher_len + STITCH_UNIT - 1) / STITCH_UNIT;
    memset(work->cipher + work->cipher_len, 0, n_units * STITCH_UNIT - work->cipher_len);
    text_gather(work);
    work->lane.aes = &work->job->cipher->cbc.aes;
    memset(work->lane.chain, 0, sizeof work->lane.chain);
    work->lane.data = work->cipher;
    work->n_units =
        work->lane.n_units - n_units; /* of the digest alone, never less than none: it is over as much, and its end */
    work->lane.n_units = n_units;
}

static void short_seal_end(struct work *work)
{
    size_t n_blocks = (work->cipher_len + AES_BLOCK_LEN - 1) / AES_BLOCK_LEN;
    if (n_blocks > 1) {
        uint8_t *last = work->cipher + (n_blocks - 1) * AES_BLOCK_LEN, swap[AES_BLOCK_LEN];
        memcpy(swap, last, sizeof swap);
        memcpy(last, last - AES_BLOCK_LEN, sizeof swap);
        memcpy(last - AES_BLOCK_LEN, swap, sizeof swap);
    }
    krb_cipher_scatter(work->job->pieces, work->job->n_pieces, work->cipher);
    work->job->done = true;
}

static void long_seal_end(struct work *work)
{
    struct krb_job *job = work->job;
    job->done = krb_cts_finish(&work->run.cts);
    krb_run_hash(&work->run, work->given);
    hmac_sha_end(&work->run.hmac, job->mac, job->cipher->profile->mac_len);
    if (!job->done)
        krb_pieces_wipe(job->pieces, job->n_pieces);
}

/* What each direction does with its lanes. */
struct direction {
    bool (*advance)(
        struct work *
            work); /* takes a long message to its next stretch; false: it has come to its end, but for krb_cts_finish */
    void (*stretched)(struct work *work);
    void (*run)(struct krb_lane *const *lanes, unsigned n_lanes);
};

/* Everything of short messages and the stretches of long ones; those that have a stretch left wait for one another. */
static void side_by_side(struct work *works, unsigned n, const struct direction *direction)
{
    struct krb_lane *lanes[STITCH_LANES] = {NULL};
    for (bool first = true;; first = false) {
        bool going[STITCH_LANES];
        unsigned n_lanes = 0;
        for (unsigned k = 0; k < n; k++) {
            going[k] = works[k].is_short ? first : direction->advance(&works[k]);
            if (going[k])
                lanes[n_lanes++] = &works[k].lane;
        }
        if (n_lanes == 0)
            return;
        direction->run(lanes, n_lanes);
        for (unsigned k = 0; k < n; k++)
            if (going[k] && !works[k].is_short)
                direction->stretched(&works[k]);
    }
}

/* At most STITCH_LANES, their keys of one length. */
static void seal_some(struct krb_job *const *jobs, unsigned n)
{
    static const struct direction sealing = {seal_advance, seal_stretched, krb_lanes_run};
    struct work works[STITCH_LANES];
    struct krb_lane *lanes[STITCH_LANES] = {NULL};
    uint8_t macs[STITCH_LANES][SHA1_LEN];
    unsigned n_lanes = 0;
    for (unsigned k = 0; k < n; k++) {
        work_begin(&works[k], jobs[k]);
        if (works[k].is_short)
            short_seal_begin(&works[k]);
    }
    side_by_side(works, n, &sealing);
    for (unsigned k = 0; k < n; k++)
        if (works[k].is_short) {
            works[k].lane.n_units = works[k].n_units;
            lanes[n_lanes++] = &works[k].lane;
        }
    krb_lanes_hash(lanes, n_lanes);
    macs_end(works, n, macs);
    for (unsigned k = 0; k < n; k++) {
        if (works[k].is_short) {
            memcpy(jobs[k]->mac, macs[k], jobs[k]->cipher->profile->mac_len);
            short_seal_end(&works[k]);
        } else
            long_seal_end(&works[k]);
        work_wipe(&works[k]);
    }
}

/* The copy is decrypted alone: its blocks do not wait for one another. */
static void short_unseal_begin(struct work *work)
{
    struct krb_cts cts;
    krb_cts_begin(&cts, &work->job->cipher->cbc, work->cipher_len);
    krb_cts_update(&cts, work->cipher, work->cipher_len);
    work->job->done = krb_cts_finish(&cts);
    text_gather(work);
    work->lane.aes = NULL;
}

/* The units that the digest has before it in memory, of what is plain by now; its lane is set up for them. */
static size_t plain_stretch(struct work *work)
{
    struct krb_run *run = &work->run;
    krb_run_hash(run, run->hashed); /* fixed pieces on the way */
    if (run->hashed_piece >= run->n_pieces)
        return 0;
    const struct krb_piece *piece = &run->pieces[run->hashed_piece];
    size_t plain = krb_cts_done(&run->cts) - run->hashed, here = piece->len - run->hashed_offset;
    size_t ahead = hmac_sha1_missing(&run->hmac), len = plain < here ? plain : here;
    size_t n_units = len > ahead ? (len - ahead) / STITCH_UNIT : 0;
    if (n_units < STITCH_MIN)
        return 0;
    krb_run_hash(run, run->hashed + ahead);
    hmac_sha1_words_out(&run->hmac, work->lane.state);
    work->lane.aes = NULL;
    work->lane.hashed = piece->data + run->hashed_offset;
    work->lane.n_units = n_units;
    return n_units;
}

/* Decrypts the next chunk of a long message, and those after it until the digest can go side by side with others. */
static bool unseal_advance(struct work *work)
{
    struct krb_run *run = &work->run;
    while (work_piece(work)) {
        const struct krb_piece *piece = &run->pieces[work->piece];
        size_t left = piece->len - work->at, now_len = left < KRB_CHUNK_LEN ? left : KRB_CHUNK_LEN;
        krb_cts_update(&run->cts, piece->data + work->at, now_len);
        work->at += now_len;
        work->given += now_len;
        work->n_units = plain_stretch(work);
        if (work->n_units > 0)
            return true;
        krb_run_hash(run, krb_cts_done(&run->cts));
    }
    return false;
}

static void unseal_stretched(struct work *work)
{
    struct krb_run *run = &work->run;
    size_t len = work->n_units * STITCH_UNIT;
    hmac_sha1_words_in(&run->hmac, work->lane.state, work->n_units);
    run->hashed += len;
    run->hashed_offset += len;
    if (work->at == run->pieces[work->piece]
                        .len) /* what is left of a piece is not worth a lane; within one, the next chunk follows it */
        krb_run_hash(run, krb_cts_done(&run->cts));
}

static void short_unseal_end(struct work *work, const uint8_t mac[SHA1_LEN])
{
    struct krb_job *job = work->job;
    bool right = secret_equal(mac, job->mac, job->cipher->profile->mac_len);
    job->done = job->done && right;
    if (job->done)
        krb_cipher_scatter(job->pieces, job->n_pieces, work->cipher);
}

static void long_unseal_end(struct work *work)
{
    uint8_t expected[KRB_MAC_MAX];
    struct krb_job *job = work->job;
    job->done = krb_cts_finish(&work->run.cts);
    krb_run_hash(&work->run, work->given);
    hmac_sha_end(&work->run.hmac, expected, job->cipher->profile->mac_len);
    if (!job->done)
        krb_pieces_wipe(job->pieces, job->n_pieces);
    else if (!secret_equal(expected, job->mac, job->cipher->profile->mac_len)) {
        krb_unseal_undo(job->cipher, job->pieces, job->n_pieces);
        job->done = false;
    }
}

static void unseal_some(struct krb_job *const *jobs, unsigned n)
{
    static const struct direction unsealing = {unseal_advance, unseal_stretched, krb_lanes_hash};
    struct work works[STITCH_LANES];
    uint8_t macs[STITCH_LANES][SHA1_LEN];
    for (unsigned k = 0; k < n; k++) {
        work_begin(&works[k], jobs[k]);
        if (works[k].is_short)
            short_unseal_begin(&works[k]);
    }
    side_by_side(works, n, &unsealing);
    macs_end(works, n, macs);
    for (unsigned k = 0; k < n; k++) {
        if (works[k].is_short)
            short_unseal_end(&works[k], macs[k]);
        else
            long_unseal_end(&works[k]);
        work_wipe(&works[k]);
    }
}

/* Which jobs share lanes: keys of one length, messages of like length together, so that few lanes wait for others. */
static bool comes_before(const struct krb_job *a, const struct krb_job *b)
{
    if (a->cipher->cbc.aes.rounds != b->cipher->cbc.aes.rounds)
        return a->cipher->cbc.aes.rounds > b->cipher->cbc.aes.rounds;
    return whole_len(a) > whole_len(b);
}

static void several(struct krb_job *jobs, unsigned n_jobs,
                    bool (*alone)(struct krb_cipher *, const struct krb_piece *, unsigned, uint8_t *),
                    void (*some)(struct krb_job *const *, unsigned))
{
    struct krb_job *order[KRB_JOBS_MAX];
    unsigned n = 0, end;
    for (unsigned i = 0; i < n_jobs; i++) {
        struct krb_job *job = &jobs[i];
        if (!job->cipher->stitched || krb_cipher_len(job->pieces, job->n_pieces) < AES_BLOCK_LEN) {
            job->done = alone(job->cipher, job->pieces, job->n_pieces, job->mac);
            continue;
        }
        unsigned place = n++;
        for (; place > 0 && comes_before(job, order[place - 1]); place--)
            order[place] = order[place - 1];
        order[place] = job;
    }
    for (unsigned start = 0; start < n; start = end) {
        for (end = start + 1; end < n && end - start < STITCH_LANES &&
                              order[end]->cipher->cbc.aes.rounds == order[start]->cipher->cbc.aes.rounds;)
            end++;
        some(order + start, end - start);
    }
}

static bool unseal_alone(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *mac)
{
    return krb_unseal(cipher, pieces, n_pieces, mac);
}

void krb_seal_several(struct krb_job *jobs, unsigned n_jobs)
{
    several(jobs, n_jobs, krb_seal, seal_some);
}

void krb_unseal_several(struct krb_job *jobs, unsigned n_jobs)
{
    several(jobs, n_jobs, unseal_alone, unseal_some);
}
