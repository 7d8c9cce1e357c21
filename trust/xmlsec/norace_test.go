//go:build !race

package xmlsec

const slow = 1
