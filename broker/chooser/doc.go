// Package chooser helps people to find the office they sign in with.
//
// It owns the ranking, a pure function of what is known about a request (Index.Rank), the page that shows it, the script that
// makes the page's search form answer while one types, and the logos, which the broker fetches and serves itself so that no
// office learns of visitors. Sealing the request, remembering a choice and beginning the login are broker/authflow's; the words
// of a request are OAuth's.
//
// Only the domain of an e-mail address is ever used, and only to find an office: it decides nothing (DESIGN.md, "Rules, exactly").
package chooser
