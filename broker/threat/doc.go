// Package threat is test support: it runs one attack of docs/threats.md, and its harmless twin, at every entry that
// takes that kind of credential, and checks what must hold at each of them. An attack is refused, changes nothing that
// is stored, leaves exactly one audit record with the expected reason, and makes no outbound connection; its twin (the
// same input minus the attack) passes, for a negative test alone proves nothing.
//
// The package owns the rules and the reading of the table; the entries (a token endpoint with its store, audit recorder
// and dialer counted) belong to the tests that have them. Production code never imports it.
package threat
