package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// measureClaims measures how many one-time tokens a second the store can mark as used, durably. The store's own benchmark
// does it: 32 callers, one claim in twenty a duplicate, which must lose.
func (r *rig) measureClaims(ctx context.Context) error {
	r.report.title("claims: one-time tokens on SQLite, 32 callers, 5 % duplicates (median of 5)")
	test := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkClaim$", "-count", "5", "apostille/broker/store/sqlite")
	out, err := test.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	rates, err := claimRates(string(out))
	if err != nil {
		return fmt.Errorf("%w in\n%s", err, out)
	}
	r.report.atLeast("claims a second", median(rates), 5000, "%.0f/s")
	return nil
}

var claimRate = regexp.MustCompile(`(?m)^BenchmarkClaim\S*\s.*?([0-9.e+]+) claims/s`)

// claimRates reads the figures of a benchmark's output.
func claimRates(out string) ([]float64, error) {
	var rates []float64
	for _, found := range claimRate.FindAllStringSubmatch(out, -1) {
		rate, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			return nil, err
		}
		rates = append(rates, rate)
	}
	if len(rates) == 0 {
		return nil, errors.New("no figure of BenchmarkClaim")
	}
	return rates, nil
}
