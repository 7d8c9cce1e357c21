// Package keys holds the public keys of every trust in one cache.
//
// A key set has two ages. While its upstream answers, it is fetched again within MaxAge, so that a withdrawn key is refused
// by then. While the upstream does not answer, the last good set serves until Source.MaxStale, and then nothing does: the
// cache fails closed. The last good sets outlive a restart behind LastGood.
//
// What tokens can cause is bounded. A token with an unknown kid causes a fetch only as the token bucket of its source
// allows (burst 2, one per 10 s); callers that miss together share one fetch; when the bucket is empty, or too many wait
// already, a miss is refused at once. Failures are remembered with a growing pause. A slow upstream delays neither
// look-ups that cached keys can answer nor any other upstream.
//
// Nothing is fetched for a trust that nobody uses: Replace with thousands of sources does no network and no store call.
//
// Fetching is upstream/fetch's work, reading key sets and refusing bad keys trust/jose's; discovery documents are read by
// go-oidc (OpenID Connect Discovery 1.0 §4), through the guarded client. What a token means is upstream/oidc's.
package keys
