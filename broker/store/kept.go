package store

import "time"

// How long implementations keep what is over, at least. They may sweep a little later.
const (
	CodeKept       = 10 * time.Minute // after Code.Until, if nobody redeemed it
	RedeemedKept   = time.Hour        // after Code.Until, if somebody did: its reuse ends the family
	FamilyKept     = time.Hour        // after a family ended or is over, with its refresh tokens, and as long as its session is kept
	RefreshKept    = 10 * time.Minute // after Refresh.Until
	RevocationKept = 10 * time.Minute // after the token's end: its reader allows for skewed clocks
	DeliveryKept   = 24 * time.Hour   // after Done or Failed
)
