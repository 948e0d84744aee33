package webhook

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"testing"
)

// BenchmarkSend makes tries from 64 senders to one receiver on this machine.
func BenchmarkSend(b *testing.B) {
	url := serve(b, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	c := client(b, Options{})
	body := bytes.Repeat([]byte("a"), 4<<10)
	b.SetParallelism((64 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if o := c.Send(b.Context(), Request{URL: url, Secret: testSecret, ID: "msg_1", Body: body}); o.Status != http.StatusOK {
				b.Errorf("outcome %d %s", o.Status, o.Err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
