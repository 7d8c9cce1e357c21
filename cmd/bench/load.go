package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a run of requests over keep-alive connections. The client is a bare loop over prepared bytes, so that it
// leaves the machine to the server.
type load struct {
	addr     string        // host:port
	requests [][]byte      // whole HTTP requests, taken in turn
	n        int           // requests in all
	conns    int           // connections, one request at a time on each
	rate     float64       // requests a second over all connections; 0 = as fast as answers come
	within   time.Duration // ends then, whatever is left of n; 0 = sends all
}

// loadResult is what came of it.
type loadResult struct {
	Requests   int           `json:"requests"`
	Statuses   map[int]int   `json:"statuses"`
	Elapsed    time.Duration `json:"elapsed_ns"`
	Throughput float64       `json:"per_second"`
	P50        time.Duration `json:"p50_ns"`
	P99        time.Duration `json:"p99_ns"`
}

func (l load) run(ctx context.Context) (loadResult, error) {
	if len(l.requests) == 0 || l.n < 1 || l.conns < 1 {
		return loadResult{}, errors.New("load: nothing to send")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	workers, errs := make([]worker, l.conns), make([]error, l.conns)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			if errs[i] = workers[i].run(ctx, l, &next, start); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return summary(workers, time.Since(start)), errors.Join(errs...)
}

type worker struct {
	latencies []time.Duration
	statuses  map[int]int
}

func (w *worker) run(ctx context.Context, l load, next *atomic.Int64, start time.Time) error {
	w.statuses = map[int]int{}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		i := int(next.Add(1)) - 1
		if i >= l.n || ctx.Err() != nil {
			return ctx.Err()
		}
		if l.rate > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(float64(i) / l.rate * float64(time.Second)))))
		}
		from := time.Now()
		if l.within > 0 && from.Sub(start) >= l.within {
			return nil
		}
		status, err := roundTrip(conn, reader, l.requests[i%len(l.requests)])
		if err != nil {
			return err
		}
		w.latencies = append(w.latencies, time.Since(from))
		w.statuses[status]++
	}
}

func roundTrip(conn net.Conn, reader *bufio.Reader, request []byte) (status int, err error) {
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, errors.Join(err, response.Body.Close())
}

func summary(workers []worker, elapsed time.Duration) loadResult {
	r := loadResult{Statuses: map[int]int{}, Elapsed: elapsed}
	var all []time.Duration
	for _, w := range workers {
		all = append(all, w.latencies...)
		for status, n := range w.statuses {
			r.Statuses[status] += n
		}
	}
	slices.Sort(all)
	r.Requests = len(all)
	r.Throughput = float64(r.Requests) / elapsed.Seconds()
	r.P50, r.P99 = quantile(all, 0.50), quantile(all, 0.99)
	return r
}

// only fails unless every answer had the status: a figure over refused requests says nothing.
func (r loadResult) only(status int) error {
	if r.Statuses[status] != r.Requests {
		return fmt.Errorf("wanted status %d for each of %d requests, got %v", status, r.Requests, r.Statuses)
	}
	return nil
}

// quantile returns the q-quantile (nearest rank) of sorted values, and 0 of none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// median returns the middle of the values, the mean of the two middle ones of an even number, and 0 of none.
func median[T ~int64 | ~float64](values []T) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
