"""What the bank sells, how its money is divided, what nobody buys, and what lies in the store."""

from service.sales.buyers import BuyerExists, Owing, Payment, add_buyer, buyers_of, find_buyer, pay
from service.sales.counting import StockFound, Stored, count_stock, stock_of
from service.sales.records import LotSold, count_lots, find_sale, lots_of, sales_of
from service.sales.sellers import sellers
from service.sales.selling import Batch, sell
from service.sales.store import GoodsOfResidents, Residue, StockTooLow, throw_away
from service.sales.unusual import UnusualSale

__all__ = [
    "Batch",
    "BuyerExists",
    "GoodsOfResidents",
    "LotSold",
    "Owing",
    "Payment",
    "Residue",
    "StockFound",
    "StockTooLow",
    "Stored",
    "UnusualSale",
    "add_buyer",
    "buyers_of",
    "count_lots",
    "count_stock",
    "find_buyer",
    "find_sale",
    "lots_of",
    "pay",
    "sales_of",
    "sell",
    "sellers",
    "stock_of",
    "throw_away",
]
