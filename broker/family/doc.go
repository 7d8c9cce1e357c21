// Package family is what one sign-in leads to at one application: a code, then access tokens and refresh tokens, which end together.
//
// IssueCode is called when the authorization endpoint has decided. CodeGrant and RefreshGrant are the token endpoint's: each says how its
// credential is verified and how it is spent; deciding, minting and recording are the endpoint's steps (broker/token), the same for every
// grant. A refresh is decided again from the claims of the sign-in under the policy, marks and consent of the moment.
//
// The rules, in short:
//   - A code lives for a minute, is bound to client, redirect URI and PKCE challenge (RFC 6749 §4.1.3, RFC 7636 §4.6) and is redeemed once.
//     A second redemption that passes the same checks ends the family (RFC 6749 §4.1.2); one that does not is a stranger's, and harms
//     nobody. A request that is refused by policy uses nothing up.
//   - Refresh tokens are issued to clients whose `grants` list refresh_token, where offline_access was granted (OpenID Connect Core §11).
//   - A refresh token has one successor ever. Within refresh_grace, and as long as the successor is unused, its client gets the same answer
//     again; later the family ends (RFC 9700 §4.14.2). That answer is kept sealed under a key that only the old token gives.
//   - Where an upstream gave a refresh token (refresh_claims), it is asked again at a refresh. What it gives then is shared by all families
//     of the login (store.Source): an upstream that rotates takes a token once.
//   - Nothing of a family outlives the sign-in's session_max or refresh_lifetime.
//   - What a family may be given is what its first redemption was granted; if that one asked for less than the sign-in (scope, RFC 8707
//     resource), what the sign-in was granted. A narrower request binds that one token only (RFC 6749 §6).
//
// Codes and tokens are 256 random bits; the store knows their SHA-256. Which sessions exist is broker/session's, what an upstream
// says when asked again is upstream/oidc's.
package family
