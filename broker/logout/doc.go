// Package logout signs people out: at the request of an application (OpenID Connect RP-Initiated Logout 1.0), and tells the
// applications of a session that it ended (Back-Channel Logout 1.0, Front-Channel Logout 1.0).
//
// It owns the question, the page that says what came of it, and the deliveries of logout tokens with their retries. Ending a session and
// the families that began in it is broker/session's and the store's, one transaction; a delivery that fails keeps nobody signed in here.
package logout
