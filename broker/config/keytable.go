package config

import (
	"slices"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
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
		{Name: "login", Kind: kindTable, Doc: "What holds for every sign-in and its pages.", Fields: loginKeys()},
		{Name: "api", Kind: kindNamed, Policy: true, Fields: apiKeys(), Doc: "A resource server that accepts our tokens. ID: lower case letters, digits, `.`, `_`, `-`."},
		{Name: "client", Kind: kindNamed, Policy: true, Fields: clientKeys(), OneOf: []string{"secret_sha256", "jwks_file", "secret", "saml"}, Unless: "public",
			Doc: "A program that may ask for tokens. The ID is its `client_id`. With `redirect_uris`, or with `saml`, it is an application that people sign in to; the keys below them are for such."},
		{Name: "trust", Kind: kindNamed, Policy: true, Fields: trustKeys(), Special: map[string][]key{trust.Local: localKeys()},
			Doc: "An issuer of another security domain, its keys and what it may be used for. The ID `local` is built in: our own tokens and clients; it has `grant` rules only."},
		{Name: "federation", Kind: kindNamed, Policy: true, Fields: federationKeys(), OneOf: []string{"url", "file", "mdq"},
			Doc: "The identity providers of a federation, by its signed SAML metadata. The ID, without dots and at most 31 characters, names them all in `trusts` of a client. A `[trust.ID]` with the entityID of one stands for it."},
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
		{Name: "scopes", Kind: kindTexts, DefaultDoc: "none", Doc: "Scope → what it means, in words for people: a string, or `{ en = \"…\", de = \"…\" }` with some of `en`, `de`, `fr`, `es`. " +
			"Who reads none of these sees the one of `[login] language`, else `en`: one of the two must be there."},
		{Name: "first_party_scopes", Kind: kindStrings, DefaultDoc: "none", Doc: "Scopes that only `first_party` applications may be registered for: no consent gives them to others."},
		{Name: "token", Kind: kindTable, Inline: true, DefaultDoc: "as below", Doc: "How its tokens look, because verifiers differ.", Fields: []key{
			{Name: "alg", Kind: kindString, Default: trust.TokenAlgs[0], Enum: trust.TokenAlgs, Doc: "Signature algorithm."},
			{Name: "typ", Kind: kindString, Default: trust.TokenTyps[0], Enum: trust.TokenTyps, Doc: "Header `typ`; `JWT` for verifiers that insist."},
			{Name: "format", Kind: kindString, Default: trust.TokenFormats[0], Enum: trust.TokenFormats,
				Doc: "`opaque`: a random handle that the API asks about (RFC 7662), so that a revoked one ends at once. `saml2`: a signed assertion, by token exchange only, for a service that speaks SAML."},
			{Name: "recipient", Kind: kindString, DefaultDoc: "none", Doc: "Where the service takes assertions; required with `saml2`, and only there."},
		}},
		{Name: "lifetime", Kind: kindDuration, Default: trust.DefaultLifetime, Doc: "Upper bound of its tokens; at most 24h."},
	}
}

func clientKeys() []key {
	return []key{
		{Name: "name", Kind: kindString, DefaultDoc: "the ID", Doc: "For people."},
		{Name: "disabled", Kind: kindBool, Doc: "Refuse it, but keep its lines."},
		{Name: "grants", Kind: kindStrings, DefaultDoc: "none", Doc: "Ways it may ask for a token.",
			Enum: []string{string(trust.GrantTokenExchange), string(trust.GrantJWTBearer), string(trust.GrantSAML2Bearer), string(trust.GrantClientCredentials), string(trust.GrantCode), string(trust.GrantRefresh)}},
		{Name: "apis", Kind: kindListMap, DefaultDoc: "none", Doc: "Its registration: API ID → scopes it may ever be given."},
		{Name: "lifetime", Kind: kindDuration, DefaultDoc: "no bound of its own", Doc: "Upper bound of its tokens."},
		{Name: "secret_sha256", Kind: kindStrings, Min: 1, Max: 2, Secret: true,
			Doc: "SHA-256 of its secret in hex, as `apostille client new` prints it; two while it changes."},
		{Name: "jwks_file", Kind: kindString, Path: true, Doc: "Its public keys, for `private_key_jwt`."},
		{Name: "secret", Kind: kindString, Secret: true, Doc: "The secret itself; with `dev` only."},
		{Name: "saml", Kind: kindTable, Inline: true, Fields: samlAppKeys(), OneOf: []string{"metadata_file", "entity_id"}, DefaultDoc: "it speaks OpenID Connect",
			Doc: "It speaks SAML 2.0: it gets signed assertions and no tokens, proves itself by its certificates, and takes none of the keys for tokens. It has to be `first_party`."},
		{Name: "redirect_uris", Kind: kindStrings, Min: 1, DefaultDoc: "no application",
			Doc: "Where answers to a sign-in go, byte for byte; of `http://127.0.0.1` and `http://[::1]` the port may differ. https, loopback http, or for a `public` client a scheme such as `com.example.app:`."},
		{Name: "first_party", Kind: kindBool, Doc: "Our own: people are not asked for consent."},
		{Name: "public", Kind: kindBool, Doc: "It cannot keep a secret (a browser, a phone): no credential, PKCE always, grants `authorization_code` and `refresh_token` only."},
		{Name: "pkce", Kind: kindString, Enum: []string{"required", "optional"}, DefaultDoc: "`required`",
			Doc: "RFC 7636, S256. `optional` is for confidential clients that cannot; each request must then carry a nonce."},
		{Name: "trusts", Kind: kindStrings, Min: 1, DefaultDoc: "each with a `sign_in` rule for it", Doc: "Trusts and federations whose people it lets in."},
		{Name: "id_token", Kind: kindTable, Inline: true, DefaultDoc: "as below", Doc: "How its ID tokens look.", Fields: []key{
			{Name: "alg", Kind: kindString, Enum: trust.IDTokenAlgs, DefaultDoc: "`\"" + trust.IDTokenAlgs[0] + "\"`", Doc: "Signature algorithm."},
		}},
		{Name: "sector", Kind: kindString, DefaultDoc: "the public subject", Doc: "Applications of one sector see one pairwise subject of a person, those of others another."},
		{Name: "post_logout_redirect_uris", Kind: kindStrings, DefaultDoc: "none", Doc: "Where logout may return to, byte for byte."},
		{Name: "backchannel_logout_uri", Kind: kindString, DefaultDoc: "not told", Doc: "Is sent a logout token when a session ends."},
		{Name: "frontchannel_logout_uri", Kind: kindString, DefaultDoc: "not asked", Doc: "Is opened in the browser when a session ends; of the origin of a redirect URI."},
		{Name: "origins", Kind: kindStrings, DefaultDoc: "none", Doc: "Origins of its pages that may call token and userinfo endpoint (CORS), such as `https://app.example`."},
		{Name: "refresh_lifetime", Kind: kindDuration, DefaultDoc: "`\"720h\"`", Doc: "Of its refresh tokens from the sign-in on; `session_max` of the trust's login ends them too."},
		{Name: "refresh_idle", Kind: kindDuration, DefaultDoc: "`\"168h\"`", Doc: "How long one may lie unused."},
		{Name: "refresh_grace", Kind: kindGrace, DefaultDoc: "`\"10s\"`", Doc: "How long the answer to a refresh can be fetched again with the token that was used; `0s` is off, 1m the most."},
	}
}

// samlAppKeys describe `saml = { … }` of a client.
func samlAppKeys() []key {
	return []key{
		{Name: "metadata_file", Kind: kindString, Path: true, DefaultDoc: "the next four keys",
			Doc: "Its metadata: an `EntityDescriptor` with an `SPSSODescriptor`. It says what the next four keys say, and whether requests are signed."},
		{Name: "entity_id", Kind: kindString, DefaultDoc: "of the metadata", Doc: "Its entityID, byte for byte."},
		{Name: "acs", Kind: kindStrings, Min: 1, DefaultDoc: "required with `entity_id`", Doc: "Its assertion consumer services for HTTP-POST, byte for byte, in the order of their index. Answers go to no other place."},
		{Name: "certificates", Kind: kindStrings, Min: 1, Max: 10, Path: true, DefaultDoc: "none", Doc: "PEM files of its certificates: its messages are verified with each, and assertions encrypted to the first RSA key."},
		{Name: "slo_url", Kind: kindString, DefaultDoc: "not asked", Doc: "Its SingleLogoutService for the redirect binding, asked in the browser when a session ends, and answered at."},
		{Name: "signed_requests", Kind: kindBool, Doc: "Refuse requests that it did not sign. One that is signed has to be signed by it either way."},
		{Name: "encrypt", Kind: kindBool, Doc: "Encrypt its assertions, with AES-256-GCM."},
		{Name: "name_id_format", Kind: kindString, Enum: []string{"persistent", "transient", "emailAddress"}, DefaultDoc: "`\"persistent\"`",
			Doc: "Its NameID. `persistent`: `sub`, by `sector` if it has one. `transient`: another in each session. `emailAddress`: the claim that a `sign_in` rule maps to `mail` or `email`."},
	}
}

func loginKeys() []key {
	return []key{
		{Name: "name", Kind: kindString, Default: "Apostille", Doc: "What pages call this broker."},
		{Name: "contact", Kind: kindString, DefaultDoc: "nobody", Doc: "Whom to ask when an office is missing: words, a `mailto:` or a URL."},
		{Name: "language", Kind: kindString, Default: "en", Enum: languages, Doc: "Of pages, where the browser asks for none of these."},
		{Name: "session_idle", Kind: kindDuration, Default: 8 * time.Hour, Doc: "How long a browser's session may lie unused."},
		{Name: "session_max", Kind: kindDuration, Default: 12 * time.Hour, Doc: "How long it lasts at most."},
		{Name: "remember", Kind: kindDuration, Default: 8760 * time.Hour, Doc: "How long a browser remembers the office that was chosen."},
		{Name: "unfinished", Kind: kindInt, Min: 100, Max: 1 << 20, Default: int64(100000), Doc: "Sign-ins under way at once; the oldest make way for more."},
	}
}

// trustLoginKeys describe `[trust.ID.login]`: what holds for each, then OpenID Connect's, then SAML's. Defaults of the latter two are in
// words, and set where a login is read: a default of one protocol would look like a mistake under the other.
func trustLoginKeys() []key {
	return slices.Concat([]key{
		{Name: "protocol", Kind: kindString, Required: true, Enum: []string{trust.ProtocolOIDC, trust.ProtocolSAML}, Doc: "What the upstream speaks."},
		{Name: "email_domains", Kind: kindStrings, DefaultDoc: "none", Doc: "Domains of its people's addresses, whole and in lower case. They steer the picker and nothing else."},
		{Name: "keywords", Kind: kindStrings, DefaultDoc: "none", Doc: "Further words to find it by."},
		{Name: "logo", Kind: kindString, DefaultDoc: "initials", Doc: "https URL of an image; fetched and served by the broker."},
		{Name: "hidden", Kind: kindBool, Doc: "Not in the picker; reached by a hint only."},
		{Name: "session_max", Kind: kindDuration, Default: trust.DefaultSessionMax, Doc: "How long anything may rest on one sign-in: session, tokens, refresh."},
		{Name: "max_claims_age", Kind: kindDuration, Default: trust.DefaultMaxClaimsAge, Doc: "How long a refresh may go on with what the upstream said of a person."},
		{Name: "acr", Kind: kindStringMap, DefaultDoc: "none", Doc: "Their `acr` (SAML: authentication context class) → ours; others are dropped."},
		{Name: "logout", Kind: kindBool, Doc: "Logging out here logs out there too."},
	}, oidcLoginKeys(), samlLoginKeys())
}

func oidcLoginKeys() []key {
	return []key{
		{Name: "client_id", Kind: kindString, DefaultDoc: "required with `oidc`", Doc: "What the upstream calls us."},
		{Name: "client_secret", Kind: kindSecret, DefaultDoc: "none", Doc: "What we prove it with: the name of an environment variable, or of a file. A string, the secret itself, with `dev` only."},
		{Name: "auth", Kind: kindString, DefaultDoc: "`client_secret_basic`, with a secret", Enum: []string{oidc.AuthBasic, oidc.AuthPost, oidc.AuthPrivateKeyJWT, oidc.AuthNone},
			Doc: "How we authenticate at its token endpoint."},
		{Name: "assertion_audience", Kind: kindString, DefaultDoc: "the issuer", Doc: "`aud` of what we sign for `private_key_jwt`; older products want their token endpoint."},
		{Name: "scopes", Kind: kindStrings, Min: 1, DefaultDoc: "`[\"openid\", \"profile\", \"email\"]`", Doc: "What we ask it for; `openid` must be among them."},
		{Name: "userinfo", Kind: kindOn, DefaultDoc: "`true`", Doc: "Ask its userinfo endpoint, if it has one."},
		{Name: "response_mode", Kind: kindString, DefaultDoc: "`\"query\"`", Enum: []string{oidc.ModeQuery, oidc.ModeFormPost}, Doc: "How its answer comes back."},
		{Name: "refresh_claims", Kind: kindBool, Doc: "Ask the upstream again at each refresh; its refresh token is kept, encrypted."},
	}
}

func samlLoginKeys() []key {
	return []key{
		{Name: "sso_url", Kind: kindString, DefaultDoc: "required with `saml`", Doc: "Its SingleSignOnService."},
		{Name: "sso_binding", Kind: kindString, DefaultDoc: "`\"redirect\"`", Enum: []string{saml.BindingRedirect, saml.BindingPost}, Doc: "How our request gets there."},
		{Name: "slo_url", Kind: kindString, DefaultDoc: "none", Doc: "Its SingleLogoutService for the redirect binding."},
		{Name: "sp_entity_id", Kind: kindString, DefaultDoc: "our issuer with `/saml/metadata`", Doc: "What it calls us, where it needs an entry of its own. Never what exchanged assertions are addressed to."},
		{Name: "name_id_format", Kind: kindString, DefaultDoc: "its choice", Doc: "The NameID we ask for: `persistent`, `transient`, `emailAddress`, or a URN."},
		{Name: "attributes", Kind: kindStringMap, DefaultDoc: "none", Doc: "Name of an attribute → claim it stands under as well, such as `email`."},
		{Name: "request_signing", Kind: kindOn, DefaultDoc: "`true`", Doc: "Sign our requests."},
		{Name: "idp_initiated", Kind: kindBool, Doc: "Its people may come from a page of its own, without an application that asked for it; each answer counts once. Anybody who can be made to click can then be signed in as somebody else."},
		{Name: "allow_cbc", Kind: kindBool, Doc: "Accept assertions encrypted with AES-CBC, in signed responses. Ask the office for AES-GCM instead."},
	}
}

// secretKeys are the forms of a secret that is not written here.
func secretKeys() []key {
	return []key{
		{Name: "env", Kind: kindString, Doc: "Name of an environment variable of the broker."},
		{Name: "file", Kind: kindString, Path: true, Doc: "Its whole content, without line breaks at the end."},
	}
}

func trustKeys() []key {
	return []key{
		{Name: "name", Kind: kindString, DefaultDoc: "the ID", Doc: "For people."},
		{Name: "disabled", Kind: kindBool, Doc: "Refuse it, but keep its lines; they are checked all the same."},
		{Name: "issuer", Kind: kindString, Required: true, Doc: "Compared byte for byte with `iss`; of assertions the entityID."},
		{Name: "domain", Kind: kindString, DefaultDoc: "the issuer", Doc: "Subject domain: what our `sub` is derived from, with the subject."},
		{Name: "subject", Kind: kindString, DefaultDoc: "`sub`; of assertions the NameID", Doc: "Claim or attribute that names the subject; a name, or a JSON pointer that starts with `/`."},
		{Name: "keys", Kind: kindTable, Inline: true, Required: true, Fields: sourceKeys(), OneOf: []string{"discovery", "jwks_url", "jwks_file", "certificates", "metadata_file", "federation"},
			Doc: "Where its keys come from."},
		{Name: "algorithms", Kind: kindStrings, Min: 1, Enum: algorithms(), DefaultDoc: "all that fit the keys", Doc: "Signature algorithms accepted from it. Not with `saml2` or a SAML login: assertions are signed with RSA or ECDSA and SHA-256 or better."},
		{Name: "max_stale", Kind: kindDuration, DefaultDoc: "24h, of fetched keys", Doc: "How long the last good keys serve while the issuer does not answer."},
		{Name: "ca_file", Kind: kindString, Path: true, DefaultDoc: "the system's roots", Doc: "PEM file of private TLS roots, for fetched keys and for its login."},
		{Name: "require", Kind: kindTests, DefaultDoc: "nothing", Doc: "Claim → condition; binds every use of this trust."},
		{Name: "attribute_scopes", Kind: kindStrings, Min: 1, DefaultDoc: "any", Doc: "Domains that its scoped attributes may end in, such as `eduPersonScopedAffiliation`; of assertions only."},
		{Name: "exchange", Kind: kindTable, DefaultDoc: "not exchangeable", Doc: "Which of its tokens may be exchanged.", Fields: []key{
			{Name: "jwt", Kind: kindTable, Inline: true, Fields: useKeys(), DefaultDoc: "refused", Doc: "JWTs, such as access tokens."},
			{Name: "id_token", Kind: kindTable, Inline: true, Fields: useKeys(), DefaultDoc: "refused", Doc: "OIDC ID tokens."},
			{Name: "saml2", Kind: kindTable, Inline: true, Fields: assertionKeys(), DefaultDoc: "refused", Doc: "SAML 2.0 assertions, each once. The keys must be `certificates` or a `metadata_file`."},
		}},
		{Name: "login", Kind: kindTable, Fields: trustLoginKeys(), DefaultDoc: "nobody signs in", Doc: "People may sign in with it. The endpoints are found by the issuer."},
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
		{Name: "metadata_file", Kind: kindString, Path: true, Doc: "SAML metadata of the issuer alone, on disk; `entityID` must be `issuer`. Its signing certificates are taken, and what `sso_url`, `slo_url` and `attribute_scopes` do not say; its signature and `validUntil` are not looked at."},
		{Name: "federation", Kind: kindString, Doc: "The federation whose metadata have its certificates, `sso_url`, `slo_url`, name, logo and `attribute_scopes`; of SAML only. What is written here counts instead."},
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

func assertionKeys() []key {
	return []key{
		{Name: "audiences", Kind: kindStrings, Min: 1, DefaultDoc: "our issuer", Doc: "Of each `AudienceRestriction` one `Audience` must be among them."},
		{Name: "recipients", Kind: kindStrings, Min: 1, DefaultDoc: "none", Doc: "What `Recipient` may be besides our token endpoint: the assertion consumer URL of an application that sends its assertions on. Never one of ours."},
		{Name: "max_age", Kind: kindDuration, Default: trust.DefaultMaxAge, Doc: "Time since `IssueInstant`, at most."},
	}
}

func grantKeys() []key {
	return []key{
		{Name: "clients", Kind: kindStrings, DefaultDoc: "none", Doc: "Clients that may use this rule."},
		{Name: "unauthenticated", Kind: kindBool, Doc: "The foreign token alone is the credential; instead of `clients`."},
		{Name: "sign_in", Kind: kindBool, Doc: "People may sign in to `clients`, which get `openid profile email address phone offline_access` as asked for; `claims` go into ID token and userinfo."},
		{Name: "api", Kind: kindString, Required: true, Unless: "sign_in", Doc: "API the tokens are for."},
		{Name: "scopes", Kind: kindScopes, Required: true, Unless: "sign_in", Doc: "A list: granted for who the subject is. A table `{ theirs = \"ours\" }`: granted if the subject token carries `theirs`."},
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
