"""`penstock migrate from-kestra`: what a server of Kestra holds, copied through its API."""
