// Package session keeps people signed in: the SSO sessions of browsers, on github.com/gorilla/sessions, and the one cookie policy
// of every page.
//
// It owns what a cookie looks like (Cookies), that a session's cookie is a random value and nothing else, that it changes at each
// login, and when a session ends. The cookie's state lives in broker/store, so a session that was ended is over although its
// cookie comes back. gorilla/sessions brings the life cycle within one request (its registry reads a session once, Save writes
// it); none of its own stores, which sign or encrypt the state into the cookie, is used: such a cookie cannot be taken back.
//
// It also tells one browser from another, signed in or not (Browser): what a tab begins is finished in the same browser.
//
// How somebody signs in is broker/authflow's, what a session's identity is worth at an application is trust.Evaluate's, and who
// must hear of its end is broker/logout's.
package session
