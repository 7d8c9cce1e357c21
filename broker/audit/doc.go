// Package audit is the broker's record of what it decided: one line of JSON per decision.
//
// It owns the Event, how it becomes a line, the one writer of those lines, the bound on what strangers can make
// it write, and the search through them. What is recorded and when belongs to the endpoints; that nothing may be
// issued without a record, to whoever issues.
//
// No field is meant for a token, code, assertion or secret: a credential is named by its SHA-256. What is put into
// an event all the same is cut, escaped, and stripped of what looks like a JWT before it is written.
package audit
