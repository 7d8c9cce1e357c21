// Package userinfo is the UserInfo endpoint (OpenID Connect Core §5.3): what an application that holds a token for it may know of the
// person who signed in.
//
// It takes an access token of ours with our issuer as audience and the scope openid, from the Authorization header or a form body (RFC
// 6750 §2.1, §2.2; never from the query, which ends in logs). What it tells is decided anew for each request, from the claims of the sign-in
// and by the same trust.Evaluate as every grant: a person who was blocked, an office or an application that was taken out, a rule or a
// consent that is gone count at once. Which claims a scope stands for is broker/mint's, what a sign-in remembers is broker/family's.
package userinfo
