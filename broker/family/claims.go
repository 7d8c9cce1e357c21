package family

import (
	"context"
	"errors"
	"sync"
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
	if young, err := f.young(r); young || err != nil {
		return r, err
	}
	return f.flights.do(fam.ID, func() (record, error) { return f.askAgain(ctx, t, fam) })
}

// young says whether the upstream was asked just now.
func (f *Families) young(r record) (bool, error) {
	s, err := trust.DecodeLogin(r.Login)
	if s.ClaimsAt.IsZero() {
		s.ClaimsAt = s.IssuedAt
	}
	return err == nil && f.Now().Sub(s.ClaimsAt) < freshFor, err
}

// askAgain asks the upstream and stores what it says, at once: it may have replaced its refresh token.
func (f *Families) askAgain(ctx context.Context, t *trust.Trust, fam store.Family) (record, error) {
	// Others may wait for this answer; and an answer that nobody stored would lose the upstream's new refresh token.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askFor)
	defer cancel()
	r, err := f.latest(ctx, fam.ID)
	if err != nil {
		return record{}, err
	}
	if young, err := f.young(r); young || err != nil { // somebody has asked since fam was read
		return r, err
	}
	secret, err := f.Box.Open(sealPurpose, r.Upstream)
	if err != nil {
		return record{}, err
	}
	login, err := f.Claims.Refresh(ctx, t, string(secret))
	if err != nil {
		return record{}, upstreamFault(t, err)
	}
	d, err := r.with(login)
	if err != nil {
		return record{}, err
	}
	if login.Refresh != "" {
		d.Upstream = f.Box.Seal(sealPurpose, []byte(login.Refresh))
	}
	d.subject.ClaimsAt = f.Now()
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

// with takes the claims of a newer answer of the upstream. When and how the person signed in stays as it was.
func (r record) with(login upstream.Login) (*draft, error) {
	old, err := trust.DecodeLogin(r.Login)
	if err != nil {
		return nil, err
	}
	if login.Subject.Sub != old.Sub || login.Subject.Trust != old.Trust {
		return nil, &exchange.Refusal{Reason: trust.ReasonSubject, Trust: old.Trust, Detail: "the upstream answered about somebody else"}
	}
	old.Claims = login.Subject.Claims
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

// flights lets one caller work for all who want the same at the same time: an upstream's refresh token may be good for one use.
type flights struct {
	mu    sync.Mutex
	under map[string]*flight
}

type flight struct {
	done   chan struct{}
	record record
	err    error
}

func (s *flights) do(key string, work func() (record, error)) (record, error) {
	s.mu.Lock()
	if f, ok := s.under[key]; ok {
		s.mu.Unlock()
		<-f.done
		return f.record, f.err
	}
	f := &flight{done: make(chan struct{}), err: errors.New("family: the work for this answer panicked")}
	if s.under == nil {
		s.under = map[string]*flight{}
	}
	s.under[key] = f
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.under, key)
		s.mu.Unlock()
		close(f.done)
	}()
	f.record, f.err = work()
	return f.record, f.err
}
