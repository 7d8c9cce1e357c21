package config

import (
	"time"

	"apostille/trust"
	"apostille/trust/jose"
)

// algorithms are the JWS algorithms that may verify a foreign token.
func algorithms() []string {
	var names []string
	for _, alg := range jose.Algs() {
		names = append(names, string(alg))
	}
	return names
}

// keyTable returns every key there is, in the order of the reference.
func keyTable() []key {
	return []key{
		{Name: "issuer", Kind: kindString, Required: true,
			Doc: "Our issuer identifier, the `iss` of every token: https, no query, fragment or trailing slash."},
		{Name: "dev", Kind: kindBool,
			Doc: "Developer's machine: http issuers and URLs, literal client secrets and a store in memory are accepted."},
		{Name: "key_file", Kind: kindString, Default: "apostille.key", Path: true,
			Doc: "The key that wraps the signing keys in the store; `apostille init` makes it. Readable by the broker only."},
		{Name: "listener", Kind: kindTable, Fields: listenerKeys(), Doc: "Where and how the broker serves."},
		{Name: "metrics", Kind: kindTable, Doc: "The separate listener of `/metrics`, `/healthz` and `/readyz`.", Fields: []key{
			{Name: "address", Kind: kindString, DefaultDoc: "off", Doc: "`host:port`; keep it off public networks."},
		}},
		{Name: "outbound", Kind: kindTable, Doc: "What the broker may reach when it fetches keys.", Fields: []key{
			{Name: "allow", Kind: kindPrefixes, DefaultDoc: "none",
				Doc: "Private address ranges that URLs written in this configuration may reach. URLs learnt from others never do."},
			{Name: "timeout", Kind: kindDuration, Default: 10 * time.Second, Doc: "Of one request, all told."},
		}},
		{Name: "store", Kind: kindTable, Doc: "What must survive a restart.", Fields: []key{
			{Name: "path", Kind: kindString, Default: "apostille.db", Path: true,
				Doc: "SQLite file. `memory` (with `dev` only): nothing survives a restart."},
		}},
		{Name: "audit", Kind: kindTable, Doc: "The record of every decision.", Fields: []key{
			{Name: "file", Kind: kindString, Default: "audit.jsonl", Path: true, Doc: "JSON lines; `-` is standard output."},
		}},
		{Name: "log", Kind: kindTable, Doc: "The log on standard error.", Fields: []key{
			{Name: "level", Kind: kindString, Default: "info", Enum: []string{"debug", "info", "warn", "error"}, Doc: "Least level that is written."},
			{Name: "format", Kind: kindString, Default: "json", Enum: []string{"json", "text"}, Doc: "For machines or for people."},
		}},
		{Name: "limits", Kind: kindTable, Doc: "What one caller may ask for before it is told to wait (429).", Fields: limitKeys()},
		{Name: "api", Kind: kindNamed, Policy: true, Fields: apiKeys(), Doc: "A resource server that accepts our tokens. ID: lower case letters, digits, `.`, `_`, `-`."},
		{Name: "client", Kind: kindNamed, Policy: true, Fields: clientKeys(), OneOf: []string{"secret_sha256", "jwks_file", "secret"},
			Doc: "A program that may ask for tokens. The ID is its `client_id`."},
		{Name: "trust", Kind: kindNamed, Policy: true, Fields: trustKeys(), Special: map[string][]key{trust.Local: localKeys()},
			Doc: "An issuer of another security domain, its keys and what it may be used for. The ID `local` is built in: our own tokens and clients; it has `grant` rules only."},
	}
}

func listenerKeys() []key {
	return []key{
		{Name: "address", Kind: kindString, Default: "127.0.0.1:8080", Doc: "`host:port`. Beyond loopback it needs `tls` or `behind`."},
		{Name: "tls", Kind: kindTable, Inline: true, DefaultDoc: "plain HTTP", Doc: "PEM files; reloaded when they change.", Fields: []key{
			{Name: "cert", Kind: kindString, Required: true, Path: true, Doc: "Certificate chain, leaf first."},
			{Name: "key", Kind: kindString, Required: true, Path: true, Doc: "Its private key."},
		}},
		{Name: "behind", Kind: kindPrefixes, DefaultDoc: "none", Doc: "Address ranges of our reverse proxies: forwarded headers count from there only."},
		{Name: "read_timeout", Kind: kindDuration, Default: 10 * time.Second, Doc: "Of reading one request."},
		{Name: "write_timeout", Kind: kindDuration, Default: 30 * time.Second, Doc: "Of answering one request."},
		{Name: "idle_timeout", Kind: kindDuration, Default: 120 * time.Second, Doc: "Of a kept-alive connection."},
		{Name: "max_header", Kind: kindInt, Default: int64(16 << 10), Min: 4 << 10, Max: 1 << 20, Doc: "Bytes of a request's header."},
		{Name: "max_body", Kind: kindInt, Default: int64(64 << 10), Min: 4 << 10, Max: 1 << 20, Doc: "Bytes of a request's body."},
	}
}

func limitKeys() []key {
	rate := []key{
		{Name: "rate", Kind: kindNumber, Required: true, Doc: "Requests a second, for long; 0 is off."},
		{Name: "burst", Kind: kindInt, Min: 1, Max: 1 << 20, DefaultDoc: "twice the rate", Doc: "Requests at once."},
	}
	return []key{
		{Name: "per_ip", Kind: kindTable, Inline: true, Fields: rate, Default: rateDoc{Rate: 50, Burst: 100}, Doc: "Of one client address."},
		{Name: "per_client", Kind: kindTable, Inline: true, Fields: rate, Default: rateDoc{Rate: 500, Burst: 1000}, Doc: "Of one `client_id`."},
		{Name: "concurrent", Kind: kindInt, Min: 1, Max: 1 << 20, DefaultDoc: "64 × processors", Doc: "Requests doing cryptography at once."},
	}
}

func apiKeys() []key {
	return []key{
		{Name: "audience", Kind: kindString, Required: true, Doc: "`aud` of tokens for it: an absolute URI or a plain name; unique."},
		{Name: "resources", Kind: kindStrings, DefaultDoc: "none", Doc: "Further URIs that `resource` may name it by (RFC 8707)."},
		{Name: "client", Kind: kindString, DefaultDoc: "nobody", Doc: "The client that owns it: may exchange tokens addressed to it."},
		{Name: "scopes", Kind: kindStringMap, DefaultDoc: "none", Doc: "Scope → what it means, in words for people."},
		{Name: "token", Kind: kindTable, Inline: true, DefaultDoc: "as below", Doc: "How its tokens look, because verifiers differ.", Fields: []key{
			{Name: "alg", Kind: kindString, Default: trust.TokenAlgs[0], Enum: trust.TokenAlgs, Doc: "Signature algorithm."},
			{Name: "typ", Kind: kindString, Default: trust.TokenTyps[0], Enum: trust.TokenTyps, Doc: "Header `typ`; `JWT` for verifiers that insist."},
		}},
		{Name: "lifetime", Kind: kindDuration, Default: trust.DefaultLifetime, Doc: "Upper bound of its tokens; at most 24h."},
	}
}

func clientKeys() []key {
	return []key{
		{Name: "name", Kind: kindString, DefaultDoc: "the ID", Doc: "For people."},
		{Name: "disabled", Kind: kindBool, Doc: "Refuse it, but keep its lines."},
		{Name: "grants", Kind: kindStrings, DefaultDoc: "none", Doc: "Ways it may ask for a token.",
			Enum: []string{string(trust.GrantTokenExchange), string(trust.GrantJWTBearer), string(trust.GrantClientCredentials)}},
		{Name: "apis", Kind: kindListMap, DefaultDoc: "none", Doc: "Its registration: API ID → scopes it may ever be given."},
		{Name: "lifetime", Kind: kindDuration, DefaultDoc: "no bound of its own", Doc: "Upper bound of its tokens."},
		{Name: "secret_sha256", Kind: kindStrings, Min: 1, Max: 2, Secret: true,
			Doc: "SHA-256 of its secret in hex, as `apostille client new` prints it; two while it changes."},
		{Name: "jwks_file", Kind: kindString, Path: true, Doc: "Its public keys, for `private_key_jwt`."},
		{Name: "secret", Kind: kindString, Secret: true, Doc: "The secret itself; with `dev` only."},
	}
}

func trustKeys() []key {
	return []key{
		{Name: "name", Kind: kindString, DefaultDoc: "the ID", Doc: "For people."},
		{Name: "disabled", Kind: kindBool, Doc: "Refuse it, but keep its lines; they are checked all the same."},
		{Name: "issuer", Kind: kindString, Required: true, Doc: "Compared byte for byte with `iss`."},
		{Name: "domain", Kind: kindString, DefaultDoc: "the issuer", Doc: "Subject domain: what our `sub` is derived from, with the subject."},
		{Name: "subject", Kind: kindString, Default: "sub", Doc: "Claim that names the subject; a name, or a JSON pointer that starts with `/`."},
		{Name: "keys", Kind: kindTable, Inline: true, Required: true, Fields: sourceKeys(), OneOf: []string{"discovery", "jwks_url", "jwks_file", "certificates"},
			Doc: "Where its keys come from."},
		{Name: "algorithms", Kind: kindStrings, Min: 1, Enum: algorithms(), DefaultDoc: "all that fit the keys", Doc: "Signature algorithms accepted from it."},
		{Name: "max_stale", Kind: kindDuration, DefaultDoc: "24h, of fetched keys", Doc: "How long the last good keys serve while the issuer does not answer."},
		{Name: "ca_file", Kind: kindString, Path: true, DefaultDoc: "the system's roots", Doc: "PEM file of private TLS roots, for fetched keys."},
		{Name: "require", Kind: kindTests, DefaultDoc: "nothing", Doc: "Claim → condition; binds every use of this trust."},
		{Name: "exchange", Kind: kindTable, DefaultDoc: "not exchangeable", Doc: "Which of its tokens may be exchanged.", Fields: []key{
			{Name: "jwt", Kind: kindTable, Inline: true, Fields: useKeys(), DefaultDoc: "refused", Doc: "JWTs, such as access tokens."},
			{Name: "id_token", Kind: kindTable, Inline: true, Fields: useKeys(), DefaultDoc: "refused", Doc: "OIDC ID tokens."},
		}},
		{Name: "grant", Kind: kindTables, Fields: grantKeys(), DefaultDoc: "nothing is granted", Doc: "What its holders may get."},
	}
}

func localKeys() []key {
	return []key{{Name: "grant", Kind: kindTables, Fields: grantKeys(), DefaultDoc: "nothing is granted", Doc: "What holders of our own tokens, and clients in their own name, may get."}}
}

func sourceKeys() []key {
	return []key{
		{Name: "discovery", Kind: kindTrue, Doc: "The issuer's `/.well-known/openid-configuration` names them."},
		{Name: "jwks_url", Kind: kindString, Doc: "A JWK Set to fetch; https."},
		{Name: "jwks_file", Kind: kindString, Path: true, Doc: "A JWK Set on disk."},
		{Name: "certificates", Kind: kindStrings, Min: 1, Max: 100, Path: true, Doc: "PEM files of certificates or public keys."},
	}
}

func useKeys() []key {
	return []key{
		{Name: "audiences", Kind: kindStrings, Required: true, Min: 1, Doc: "The token's `aud` must be among them, each entry of it."},
		{Name: "parties", Kind: kindStrings, DefaultDoc: "`azp`, if present, is an audience", Doc: "Allowed `azp` or `client_id`."},
		{Name: "types", Kind: kindStrings, DefaultDoc: "the usual ones", Doc: "Allowed header `typ`, lower case, without `application/`."},
		{Name: "max_age", Kind: kindDuration, Default: trust.DefaultMaxAge, Doc: "Time since `iat`, at most."},
		{Name: "one_time", Kind: kindBool, Doc: "Each token once; it then needs a `jti`."},
	}
}

func grantKeys() []key {
	return []key{
		{Name: "clients", Kind: kindStrings, DefaultDoc: "none", Doc: "Clients that may use this rule."},
		{Name: "unauthenticated", Kind: kindBool, Doc: "The foreign token alone is the credential; instead of `clients`."},
		{Name: "api", Kind: kindString, Required: true, Doc: "API the tokens are for."},
		{Name: "scopes", Kind: kindScopes, Required: true, Doc: "A list: granted for who the subject is. A table `{ theirs = \"ours\" }`: granted if the subject token carries `theirs`."},
		{Name: "default_scopes", Kind: kindStrings, DefaultDoc: "none", Doc: "When nothing is requested."},
		{Name: "when", Kind: kindTests, DefaultDoc: "always", Doc: "Claim → condition; all must hold."},
		{Name: "claims", Kind: kindStringMap, DefaultDoc: "none", Doc: "Our claim → theirs: copied into the token."},
		{Name: "lifetime", Kind: kindDuration, DefaultDoc: "no bound of its own", Doc: "Upper bound of the tokens."},
	}
}

// testKeys are the forms of a condition that is written as a table: exactly one of them.
func testKeys() []key {
	return []key{
		{Name: "exact", Doc: "The value (string, boolean or number)."},
		{Name: "one_of", Doc: "Any of these values; the same as a plain array."},
		{Name: "none_of", Doc: "Present, and none of these values."},
		{Name: "prefix", Doc: "A string that starts so."},
		{Name: "suffix", Doc: "A string that ends so."},
		{Name: "regex", Doc: "A string that matches this RE2 expression as a whole."},
	}
}
