// Package samltest is test support: it makes XML signature wrappings (XSW) of signed SAML messages of our own making. Each keeps a
// genuine signature over genuine content somewhere in the document, and puts forged content where a careless reader looks.
//
// It owns the shapes; which entry refuses them with which reason is for the tests that have entries. Production code never imports it.
package samltest
