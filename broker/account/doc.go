// Package account shows people what is theirs here: who they are signed in as, in which browsers, which applications hold access, and
// what was exchanged in their name lately. They can end each of it, or all.
//
// It changes nothing but what ends: sessions, families and consents, each by one transaction of the store. Telling applications is
// broker/logout's.
package account
