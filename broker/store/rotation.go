package store

import "time"

// RefreshState is what a store knows of a refresh token that is presented to Rotate.
type RefreshState struct {
	Refresh
	Family  Family
	Rotated time.Time     // when it was first rotated; zero = it never was
	Grace   time.Duration // of that rotation
	Spent   bool          // its successor was rotated too, or is gone
}

// Check says whether r may be carried out in the family of the presented token: ErrInvalid.
func (r Rotation) Check(family string) error { return checkRefresh(r.Next, family) }

// Rotate says what r leads to at the given time. It is the rule that every store shares; s is read and the outcome is written in one
// transaction.
//
// A token that is over leads to RotationUnknown whether it was used or not: it is worth nothing to anyone, and its row need not be
// kept. A repeat needs the grace of both calls, so that a grace that was taken away counts at once.
func (s RefreshState) Rotate(r Rotation, now time.Time) Rotated {
	switch {
	case s.Family.Client != r.Client:
		return RotationUnknown
	case s.Family.Why == WhyReuse && !s.Family.Ended.IsZero():
		return RotationReused
	case !s.Family.Lives(now), !s.Until.After(now):
		return RotationUnknown
	case s.Rotated.IsZero():
		return RotationDone
	case !s.Spent && now.Before(s.Rotated.Add(min(s.Grace, r.Grace))):
		return RotationRepeat
	}
	return RotationReused
}
