// Package clientauth finds out which client sends a request: client_secret_basic, client_secret_post (RFC 6749 §2.3.1) and
// private_key_jwt (RFC 7523 §2.2), exactly one of them; or none, where the endpoint allows it and the client is a public application,
// which can keep no secret (RFC 8252 §8.4). Authentication that is present must succeed.
//
// What a client may do is trust's. It compares secrets as SHA-256 in constant time and keeps none.
package clientauth
