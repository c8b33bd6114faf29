// Runs the server that the Pub/Sub client library for Go has for tests, on the port that is given.
package main

import (
	"log"
	"os"
	"strconv"

	"cloud.google.com/go/pubsub/pstest"
)

func main() {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	pstest.NewServerWithPort(port)
	select {}
}
