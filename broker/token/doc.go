// Package token is the token endpoint: one order of steps that every grant goes through, so that no grant can forget one.
//
//	read once → limits → client → VERIFY → standing → DECIDE → claim one-time → ISSUE → spend → audit → answer
//
// A Grant only says how its credential becomes a subject; everything after that is shared. A SignIn also says how its credential is
// spent: durably, after the token was made and before anybody has it. What a token is worth is trust's, how
// a credential is verified is exchange's and upstream's, how a refusal is spelled is broker/oauth's.
package token
