package logout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/trust"
)

// pauses are how long after each failed attempt the next one is made. After the last the application is given up: its tokens are
// refused here whether it heard of it or not.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

const (
	attemptTime = 5 * time.Second
	lease       = 30 * time.Second // longer than an attempt: another process takes over what died with this one
	atOnce      = 8
	pollEvery   = time.Second
)

// Minter makes logout tokens; *mint.Minter implements it.
type Minter interface {
	LogoutToken(t mint.LogoutToken, now time.Time) (mint.Token, error)
	Sub(app *trust.AppSpec, sub string) string
}

// Deliveries tell applications that a session ended (Back-Channel Logout §2.5), and try again. Every field is required.
type Deliveries struct {
	Store    store.Deliveries
	Registry func() Registry
	Minter   Minter
	Client   *http.Client // guarded
	Now      func() time.Time
	Log      *slog.Logger

	wake  chan struct{}
	once  sync.Once
	rests rests
}

// Ended queues a logout token for each application that had something of the sessions, and wants to hear of it. It returns
// whom that concerns; after an error nobody is told.
func (d *Deliveries) Ended(ctx context.Context, _ []store.Session, families []store.Family) ([]store.Delivery, error) {
	now := d.Now()
	var list []store.Delivery
	type told struct{ client, sid, sub string } // two people of one session share its sid
	seen := map[told]bool{}
	for _, f := range families {
		c, ok := d.Registry().Client(f.Client)
		one := told{f.Client, f.SID, f.Sub}
		if !ok || c.Spec.Disabled || c.Spec.App == nil || c.Spec.App.BackchannelLogoutURI == "" || seen[one] {
			continue
		}
		seen[one] = true
		list = append(list, store.Delivery{
			ID: mint.NewID(), Client: f.Client, URI: c.Spec.App.BackchannelLogoutURI, Sub: d.Minter.Sub(c.Spec.App, f.Sub), SID: f.SID,
			Session: f.Session, Created: now, NextAt: now,
		})
	}
	if len(list) == 0 {
		return nil, nil
	}
	if err := d.Store.PutDeliveries(ctx, list); err != nil {
		return list, err
	}
	select {
	case d.waker() <- struct{}{}:
	default: // it is awake already
	}
	return list, nil
}

func (d *Deliveries) waker() chan struct{} {
	d.once.Do(func() { d.wake = make(chan struct{}, 1) })
	return d.wake
}

// Run delivers until ctx ends.
func (d *Deliveries) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		d.Step(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.waker():
		}
	}
}

// Step makes the attempts that are due.
func (d *Deliveries) Step(ctx context.Context) {
	due, err := d.Store.DueDeliveries(ctx, d.Now().Add(lease), atOnce)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Error("logout tokens that are due", "error", err)
		}
		return
	}
	var wg sync.WaitGroup
	for _, one := range due {
		wg.Go(func() { d.attempt(ctx, one) })
	}
	wg.Wait()
}

// attempt delivers once, and writes down what came of it.
func (d *Deliveries) attempt(ctx context.Context, one store.Delivery) {
	defer func() {
		if p := recover(); p != nil { // a library's; the lease lets another attempt be made
			d.Log.Error("panic while telling an application of a logout", "client", one.Client, "panic", fmt.Sprintf("a value of type %T", p))
		}
	}()
	if until := d.rests.until(one.URI, d.Now()); !until.IsZero() { // no attempt
		one.NextAt = until
		d.write(ctx, one)
		return
	}
	err := d.send(ctx, one)
	if ctx.Err() != nil {
		return // the server stops: the lease ends, and the next one tries again
	}
	d.rests.note(one.URI, err == nil, d.Now())
	one.Attempts++
	switch {
	case err == nil:
		one.Done, one.Error = d.Now(), ""
	case one.Attempts > len(pauses) || errors.Is(err, errGone):
		one.Failed, one.Error = d.Now(), err.Error()
		d.Log.Warn("an application was not told of a logout", "client", one.Client, "attempts", one.Attempts, "error", one.Error)
	default:
		one.NextAt, one.Error = d.Now().Add(pauses[one.Attempts-1]), err.Error()
	}
	d.write(ctx, one)
}

func (d *Deliveries) write(ctx context.Context, one store.Delivery) {
	if err := d.Store.UpdateDelivery(ctx, one); err != nil {
		d.Log.Error("the outcome of a logout token", "client", one.Client, "error", err)
	}
}

// errGone: nobody is there to be told any more.
var errGone = errors.New("the application is not registered any more")

// send posts a fresh logout token: tokens live for two minutes, attempts go on for longer. The error is in our words only.
func (d *Deliveries) send(ctx context.Context, one store.Delivery) error {
	c, ok := d.Registry().Client(one.Client)
	if !ok || c.Spec.App == nil || c.Spec.App.BackchannelLogoutURI != one.URI {
		return errGone
	}
	token, err := d.Minter.LogoutToken(mint.LogoutToken{Client: one.Client, App: c.Spec.App, Sub: one.Sub, SID: one.SID}, d.Now())
	if err != nil {
		return errors.New("no logout token could be made")
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	form := url.Values{"logout_token": {token.Raw}}.Encode()
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, one.URI, strings.NewReader(form))
	if err != nil {
		return errors.New("the address cannot be used")
	}
	ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := d.Client.Do(ask)
	if err != nil {
		return errors.New("it did not answer")
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 4<<10))                    // so that the connection may serve again
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNoContent { // §2.8; 204 is common
		return fmt.Errorf("it answered %d", res.StatusCode)
	}
	return nil
}
