// Package jose is the one place that knows JOSE: the strict compact-JWS front door (Parse), strict JSON (DecodeObject), the
// algorithm allow-list (Alg), key set hygiene (ParseJWKS, ParsePEM), verification and signing. It follows RFC 7515, 7517, 7518,
// 7638 and 8037, and RFC 8725 where those leave a choice. It is the only importer of lestrrat-go/jwx, and uses of it only the
// signature primitives of jws with raw keys: no token, header or key set is ever parsed by the library.
//
// Parse refuses whatever is not exactly one compact JWS with strict JSON. A key decides the algorithm, never the token: Verify
// asks whether the key may be used with what the header names.
//
// What a token means is decided elsewhere: issuer, audience and times by upstream/oidc, where keys come from and how old they
// may be by upstream/keys, what a subject is granted by trust. This package does no I/O and knows no clock, so it does not judge
// whether a certificate has expired; Certificates tells the dates.
package jose
