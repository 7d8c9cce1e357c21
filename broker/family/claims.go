package family

import (
	"context"
	"errors"
	"time"

	"apostille/broker/store"
	"apostille/exchange"
	"apostille/trust"
	"apostille/upstream"
)

const (
	// freshFor is how long claims that an upstream was just asked for serve without asking again: a page that refreshes in several
	// tabs asks once.
	freshFor = time.Minute
	// askFor bounds how long an upstream is waited for.
	askFor = 10 * time.Second
)

// fresh gives the family's record with claims that may still be relied on (THREATS A96): where the upstream gave a refresh token, it is
// asked again; else DECIDE sees to max_claims_age.
func (f *Families) fresh(ctx context.Context, reg *trust.Registry, fam store.Family) (record, error) {
	r, err := decode(fam.Subject)
	if err != nil {
		return record{}, err
	}
	t, ok := reg.Trust(fam.Trust)
	if !ok || t.Spec.Disabled || t.Spec.Login == nil {
		return r, nil // DECIDE refuses it; nobody is asked for a trust that is not live
	}
	if r.Upstream == "" || f.Claims == nil || f.Box == nil {
		return r, nil
	}
	login, err := trust.DecodeLogin(r.Login)
	if err != nil {
		return record{}, err
	}
	if f.young(claimsAt(&login)) {
		return r, nil
	}
	// Others may wait for this answer; and an answer that nobody stored would lose the upstream's new refresh token.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askFor)
	defer cancel()
	seed, err := f.Box.Open(sealPurpose, r.Upstream)
	if err != nil {
		return record{}, err
	}
	g, err := f.askOnce(ctx, t, sourceOf(fam, string(seed), login.Expires), login.Sub)
	if err != nil {
		return record{}, err
	}
	return f.take(ctx, fam, g)
}

// young says whether the upstream was asked just now.
func (f *Families) young(at time.Time) bool { return f.Now().Sub(at) < freshFor }

// claimsAt is when the upstream last vouched for the claims of a login.
func claimsAt(s *trust.Subject) time.Time {
	if s.ClaimsAt.IsZero() {
		return s.IssuedAt
	}
	return s.ClaimsAt
}

// take puts what the upstream said into the family's record.
func (f *Families) take(ctx context.Context, fam store.Family, g given) (record, error) {
	r, err := f.latest(ctx, fam.ID)
	if err != nil {
		return record{}, err
	}
	d, err := r.with(g)
	if err != nil || d == nil {
		return r, err
	}
	value, err := d.encode()
	if err != nil {
		return record{}, err
	}
	alive, err := f.Store.UpdateFamily(ctx, fam.ID, value, fam.Until)
	if err != nil {
		return record{}, storeFault("storing fresh claims", err)
	}
	if !alive {
		return record{}, refuse(trust.ReasonRevoked, "the family was ended meanwhile")
	}
	return d.record, nil
}

// latest reads a living family's record.
func (f *Families) latest(ctx context.Context, id string) (record, error) {
	fam, ok, err := f.Store.Family(ctx, id)
	if err != nil {
		return record{}, storeFault("reading a family", err)
	}
	if !ok || !fam.Ended.IsZero() {
		return record{}, refuse(trust.ReasonRevoked, "the family was ended meanwhile")
	}
	return decode(fam.Subject)
}

// with takes the claims of a newer answer of the upstream; nil if it has them already. When and how the person signed in stays as it was.
func (r record) with(g given) (*draft, error) {
	old, err := trust.DecodeLogin(r.Login)
	if err != nil || !claimsAt(&old).Before(g.At) {
		return nil, err
	}
	now, err := trust.DecodeLogin(g.Login)
	if err != nil {
		return nil, err
	}
	old.Claims, old.ClaimsAt = now.Claims, g.At
	return &draft{record: r, subject: old}, nil
}

// upstreamFault is the refusal of an upstream that did not answer as it should.
func upstreamFault(t *trust.Trust, err error) error {
	var fault *upstream.Error
	if !errors.As(err, &fault) {
		return &exchange.Refusal{Reason: trust.ReasonUpstreamDown, Trust: t.ID, Detail: "asking for fresh claims", Cause: err}
	}
	return &exchange.Refusal{Reason: fault.Reason, Trust: t.ID, Detail: "asking for fresh claims: " + fault.Detail, Cause: err}
}
