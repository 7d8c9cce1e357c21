// Package trust is the policy of the broker: what a verified subject of a trust may get here.
//
// It owns the words (Subject, Trust, API, Client, grant rule, Decision), the compiled policy (Compile
// turns plain structs into an immutable Registry) and the second choke point, Registry.Evaluate, a pure
// function from a Request and its Standing to a reasoned Decision. Every grant goes through it: RFC 8693 token
// exchange, RFC 7523 assertions, RFC 6749 client credentials. Targets follow RFC 8707, scopes RFC 6749 §3.3.
//
// It does no I/O, holds no clock and imports nothing of this module. Verifying a credential is upstream's
// work, reading TOML is broker/config's, mapping a refusal to an OAuth error is broker/oauth's.
package trust
