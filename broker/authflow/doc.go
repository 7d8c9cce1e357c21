// Package authflow is a login, whatever protocol asked for it and whatever protocol the person's home office speaks: from "somebody
// must sign in for this application" to a signed-in session and a one-time result.
//
//	Begin ─ one office ─────────────────────────► start ─ 303 to the office ─► callback ─ (posted: hop) ─► finish ─ 303 to Return
//	      └ several ─► picker (sealed, not stored) ─► POST /login ─┘
//
// It owns the requests that wait for a person to come back (kinds "login", "login_hop" and "login_result" of store.Pendings), the
// routes /login and below and those of /saml that browsers use, the cookie that remembers offices, and what a person is told when a
// login does not go on. A login is bound to the browser that began it, to one trust with a callback of its own (mix-up, RFC 9700 §4.4;
// SAML has one for all, and the assertion's issuer must be the trust's), and is finished once.
//
// What the upstream's answer is worth is upstream.Provider's (VERIFY) and trust.Evaluate's (DECIDE, in broker/authorize, when the
// result is taken); the session is broker/session's, the picker's ranking and page broker/chooser's. It stores nothing for a
// stranger who only looks at the picker.
package authflow
