package broker

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// answering is a handler whose every answer has the header, or has it not.
func answering(retryAfter string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
}

func TestR13_RefusalsLeaveAtABoundedRateAndOtherAnswersAtOnce(t *testing.T) {
	t.Parallel()
	const n = paceBurst + 2*paceRate
	for _, c := range []struct {
		name, retryAfter string
		want             time.Duration // until all of n have been answered
	}{
		{"told to come later", "1", 2 * time.Second},
		{"answered", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, began := newPace().wrap(answering(c.retryAfter)), time.Now()
				done := make(chan time.Duration, n)
				for range n {
					go func() {
						h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/", nil))
						done <- time.Since(began)
					}()
				}
				var at []time.Duration
				for range n {
					at = append(at, <-done)
				}
				if at[min(paceBurst, n)-1] != 0 {
					t.Errorf("the first %d had to wait %v", paceBurst, at[paceBurst-1])
				}
				if last := at[n-1].Round(10 * time.Millisecond); last != c.want {
					t.Errorf("the last was answered after %v, wanted %v", last, c.want)
				}
			})
		})
	}
}

func TestAHeldAnswerEndsWithItsClientAndNeverLastsLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		leave time.Duration // of the client; 0 = stays
		want  time.Duration
	}{
		{"the client stays", 0, paceLimit},
		{"the client goes", 300 * time.Millisecond, 300 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPace()
				p.rate.ReserveN(time.Now(), paceBurst)
				for range 10 * paceRate { // ten seconds of others stand before it
					p.rate.Reserve()
				}
				ctx, began := t.Context(), time.Now()
				if c.leave > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.leave)
					defer cancel()
				}
				p.wait(ctx)
				if took := time.Since(began); took != c.want || len(p.places) != 0 {
					t.Errorf("held for %v, wanted %v; %d places taken", took, c.want, len(p.places))
				}
			})
		})
	}
}

func TestA120_WithoutAPlaceAnAnswerIsNotHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, began := newPace(), time.Now()
		p.rate.ReserveN(began, paceBurst)
		for range paceHeld {
			p.places <- struct{}{}
		}
		if p.wait(t.Context()); time.Since(began) != 0 {
			t.Errorf("held for %v beyond the bound", time.Since(began))
		}
		<-p.places
		if p.wait(t.Context()); time.Since(began) == 0 {
			t.Error("not held, though a place was free")
		}
	})
}

// What a handler wrote must still be in net/http's buffer when it is held.
func TestOverTheWireAHeldAnswerComesLate(t *testing.T) {
	t.Parallel()
	p := newPace()
	p.rate.ReserveN(time.Now(), paceBurst)
	for range paceRate / 10 {
		p.rate.Reserve()
	}
	server := httptest.NewServer(p.wrap(answering("1")))
	defer server.Close()
	began := time.Now()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if took := time.Since(began); response.StatusCode != http.StatusTooManyRequests || took < 90*time.Millisecond {
		t.Errorf("status %d after %v", response.StatusCode, took)
	}
}
