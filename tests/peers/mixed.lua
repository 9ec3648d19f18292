-- Four listings, four readings and one writing in turn, on each connection.
local requests = {}
local count = 0

function init(args)
   for i = 1, 4 do
      table.insert(requests, wrk.format("GET", "/api/devices"))
      table.insert(requests, wrk.format("GET", "/api/devices/press-1/registers"))
   end
   table.insert(requests, wrk.format("POST", "/api/devices/press-2/registers", {["Content-Type"] = "application/json"}, "[3, 250]"))
end

function request()
   count = count % #requests + 1
   return requests[count]
end
